//go:build !linux

package watch

import "io/fs"

// isRemote is always false here; Options.Poll helps where events do not come.
func isRemote(string) bool { return false }

func inode(fs.FileInfo) uint64 { return 0 }
