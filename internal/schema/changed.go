package schema

import (
	"slices"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Changed returns the time when the compiler first read the current content of f's import path, or
// else of f's descriptor set. It is zero if neither exists, or if the content has not changed since
// the compiler first read its source. f may be of an earlier snapshot.
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

// Package returns the file's package; for a broken file, it may be empty.
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
