package reflection

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// visit requests the imports of a file and of the files that it imports. depth
// is the depth of these imports.
func (op *operation) visit(f *File, depth int) error {
	type step struct {
		file  *File
		depth int
	}
	for steps := []step{{f, depth}}; len(steps) > 0; steps = steps[1:] {
		f, depth := steps[0].file, steps[0].depth
		if f.complete || op.visited[f] {
			continue
		}
		op.visited[f] = true
		for _, path := range slices.Concat(f.imports, f.optionImports) {
			if to := op.reader.known(f, path); to != nil {
				steps = append(steps, step{to, depth + 1})
			} else if err := op.importPath(f, path, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// importPath requests an unknown import.
func (op *operation) importPath(f *File, path string, depth int) error {
	r := op.reader
	if r.isMissing(path) {
		return op.askTypes(f, depth)
	}
	var err error
	switch {
	case depth > r.limits.Depth:
		err = fmt.Errorf("the depth of its imports is more than %d", r.limits.Depth)
	case len(path) > r.limits.NameBytes:
		err = fmt.Errorf("%s imports a path of more than %d bytes", f.path, r.limits.NameBytes)
	case !utf8.ValidString(path):
		err = fmt.Errorf("%s imports a path that is not UTF-8", f.path)
	}
	if err != nil {
		r.setMissing(path, err)
		return nil
	}
	op.importers[path] = append(op.importers[path], f)
	return op.askOnce(&question{kind: fileByPath, name: path, from: f, depth: depth})
}

// askOnce queues a question that an answer leads to, unless it was asked
// before.
func (op *operation) askOnce(q *question) error {
	if op.asked[q.String()] {
		return nil
	}
	if len(op.asked) >= op.reader.limits.Files {
		return fatalError{op.reader.exceed(tooMuch("its files need more than %d others", op.reader.limits.Files))}
	}
	op.asked[q.String()] = true
	op.todo.first = append(op.todo.first, q)
	return nil
}

// imported handles the answer for an import, or for a type whose file may
// replace one.
func (op *operation) imported(q *question) {
	if q.kind == fileOfSymbol {
		op.reader.setSymbol(protoreflect.FullName(q.name), q.file)
		return
	}
	if q.file != nil {
		return
	}
	op.reader.setMissing(q.name, q.err)
	if q.err == nil {
		for _, f := range op.importers[q.name] {
			_ = op.askTypes(f, q.depth+1)
		}
	}
}
