package schema

import (
	"slices"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Changed returns when the compiler first saw what a file says now: the file that has the import path
// of f, or the descriptor set that f came from. It is zero if there is neither, or if it has not changed
// since the compiler first read its source. F may be of an earlier snapshot.
func (s *Snapshot) Changed(f *File) time.Time {
	changed := s.sets[f.input.set]
	if now := s.byPath[f.Path()]; now != nil && now.input.changed.After(changed) {
		changed = now.input.changed
	}
	return changed
}

// Newcomers returns the served files whose import paths an earlier snapshot does not have.
func (s *Snapshot) Newcomers(earlier *Snapshot) []*File {
	return slices.DeleteFunc(slices.Clone(s.files), func(f *File) bool { return earlier.byPath[f.Path()] != nil })
}

// Package returns the file's package, as far as it can be read in a broken file.
func (f *File) Package() protoreflect.FullName {
	switch {
	case f.linked != nil:
		return f.linked.desc.Package()
	case f.input.proto != nil:
		return protoreflect.FullName(f.input.proto.GetPackage())
	}
	if file := f.source.Load(); file != nil {
		return protoreflect.FullName(file.Package())
	}
	return ""
}

// setTimes returns when each descriptor set changed.
func (c *Compiler) setTimes() map[string]time.Time {
	var times map[string]time.Time
	for _, r := range c.readers {
		if s, ok := r.(*set); ok {
			if times == nil {
				times = make(map[string]time.Time)
			}
			times[s.path] = s.at
		}
	}
	return times
}
