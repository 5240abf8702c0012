package watch

import (
	"io/fs"
	"syscall"
)

// isRemote reports whether a folder is on a file system where others can change
// files without an inotify event.
func isRemote(dir string) bool {
	var st syscall.Statfs_t
	if syscall.Statfs(dir, &st) != nil {
		return false
	}
	switch uint32(st.Type) { //nolint:gosec // the numbers have 32 bits
	case 0x6969, // NFS
		0xff534d42, 0xfe534d42, 0x517b, // CIFS, SMB2, SMB
		0x01021997, // 9P, with which WSL and virtual machines share folders
		0x65735546, // FUSE, with which Docker Desktop shares folders
		0x00c36400: // Ceph
		return true
	}
	return false
}

func inode(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return 0
}
