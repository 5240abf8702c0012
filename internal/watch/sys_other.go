//go:build !linux

package watch

import "io/fs"

// isRemote always returns false; set Options.Poll if there are no events.
func isRemote(string) bool { return false }

func inode(fs.FileInfo) uint64 { return 0 }
