//go:build !linux

package schema

import "io/fs"

// isRemote is not known here; WatchOptions.Poll helps where events do not come.
func isRemote(string) bool { return false }

func inode(fs.FileInfo) uint64 { return 0 }
