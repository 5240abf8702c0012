package load

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/httprule"
	"github.com/dyngate/dyngate/internal/nearest"
	"github.com/dyngate/dyngate/internal/schema"
)

// ruleFiles reads service configuration files. A file that is broken keeps its last good
// version.
type ruleFiles struct {
	explicit []string // paths, besides the files in the sources
	limit    int64    // bytes of one file
	known    map[string]*ruleFile
	config   *httprule.Config // of the last load
}

// ruleFile is a file as it was last read.
type ruleFile struct {
	text     string
	good     *httprule.File // nil if there was no good version
	problems []*diag.Diagnostic
}

// load reads the files that have changed. The result is the same pointer if nothing has.
func (r *ruleFiles) load(companions []*schema.Companion) (*httprule.Config, []*diag.Diagnostic) {
	var files []*httprule.File
	var problems []*diag.Diagnostic
	now := make(map[string]*ruleFile)
	changed := false
	take := func(path, text string, unread *diag.Diagnostic) {
		before := r.known[path]
		f := before.next(path, text, unread)
		now[path] = f
		changed = changed || before == nil || before.good != f.good
		problems = append(problems, f.problems...)
		if f.good != nil {
			files = append(files, f.good)
		}
	}
	for _, c := range companions {
		take(c.Location, c.Text, c.Problem)
	}
	for _, path := range r.explicit {
		text, err := r.read(path)
		var unread *diag.Diagnostic
		if err != nil {
			unread = diag.New(diag.Error, diag.Position{Path: path}, "the HTTP rules cannot be read: %v", err)
			unread.Transient = errors.As(err, new(*fs.PathError))
		}
		take(path, text, unread)
	}
	if changed || len(now) != len(r.known) || r.config == nil {
		r.config = httprule.NewConfig(files)
	}
	r.known = now
	return r.config, problems
}

// next returns the file after it was read again. f is nil for a file that is new.
func (f *ruleFile) next(path, text string, unread *diag.Diagnostic) *ruleFile {
	if f == nil {
		f = new(ruleFile)
	} else if unread == nil && f.text == text {
		return f
	}
	out := &ruleFile{text: text, good: f.good}
	if unread != nil {
		out.text, out.problems = "", []*diag.Diagnostic{unread}
		return out
	}
	var good *httprule.File
	if good, out.problems = httprule.ParseFile(path, text); good != nil {
		out.good = good
	}
	return out
}

func (r *ruleFiles) read(path string) (string, error) {
	f, err := os.Open(path) //nolint:gosec // the user names it
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		return "", errors.New("it is not a regular file")
	}
	content, err := io.ReadAll(io.LimitReader(f, r.limit+1))
	if err == nil && int64(len(content)) > r.limit {
		err = fmt.Errorf("it is larger than %d bytes", r.limit)
	}
	return string(content), err
}

// idle reports what files say about methods that do not exist, and success codes of methods
// without a path.
func idle(g *dispatch.Generation, config *httprule.Config) (diags []*diag.Diagnostic) {
	warn := func(at diag.Position, format string, args ...any) {
		diags = append(diags, diag.New(diag.Warning, at, format, args...))
	}
	config.Selectors(func(method protoreflect.FullName, at diag.Position, isRule bool) {
		service := method.Parent()
		s := g.Service(service)
		switch {
		case s == nil && (declared(g, string(service)) || inSnapshot(g, service)):
			// By a broken file, or it has errors of its own.
		case s == nil:
			near := g.NearServices(string(service), 3)
			for i, name := range near {
				near[i] = name + "." + string(method.Name())
			}
			warn(at, "selector %q: there is no service %s%s", method, service, nearest.DidYouMean(near))
		case s.Desc.Methods().ByName(method.Name()) == nil:
			if len(s.Stale) == 0 {
				warn(at, "service %s has no method %q%s", service, method.Name(),
					nearest.DidYouMean(nearest.Names(string(method.Name()), s.MethodNames(), 3)))
			}
		case !isRule && !slices.ContainsFunc(s.HTTP, func(b *httprule.Binding) bool { return b.Method.FullName() == method }):
			warn(at, "the success code of %s has no effect, because the method has no HTTP rule", method)
		}
	})
	return diags
}

// inSnapshot reports whether a file declares a service, which may have errors.
func inSnapshot(g *dispatch.Generation, service protoreflect.FullName) bool {
	d, _ := g.Snapshot.Find(service)
	return d != nil
}
