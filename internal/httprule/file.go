package httprule

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v3"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
)

// Suffix ends the names of service configuration files.
const Suffix = ".http.yaml"

// File is what a service configuration file says about HTTP: the YAML form of a
// google.api.Service, of which only http counts. It is immutable.
type File struct {
	Rules   []*Rule
	Success []*Success
}

// Rule is the rule of a file for one method. It is the [Source] of its bindings.
type Rule struct {
	Selector protoreflect.FullName // of the method: pkg.Service.Method
	HTTP     *annotations.HttpRule

	at map[Part]diag.Position
}

// Position implements [Source].
func (r *Rule) Position(part Part) diag.Position {
	if at, ok := r.at[part]; ok {
		return at
	}
	return r.at[Part{Binding: part.Binding}]
}

// Diagnose implements [Source].
func (r *Rule) Diagnose(severity diag.Severity, part Part, format string, args ...any) *diag.Diagnostic {
	return diag.New(severity, r.Position(part), format, args...)
}

// Success is the HTTP status of the calls of a method that succeed.
type Success struct {
	Selector protoreflect.FullName
	Code     int
	At       diag.Position
}

// ParseFile reads a service configuration file. path is its name in positions. The file
// is nil if there is an error.
func ParseFile(path, text string) (*File, []*diag.Diagnostic) {
	r := fileReader{path: path, file: new(File)}
	var doc yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(text))
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		r.problems = append(r.problems, diag.New(diag.Error, diag.Position{Path: path}, "the file is empty"))
	case err != nil:
		r.malformed(err)
	default:
		if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
			r.fail(&doc, "the file has several YAML documents: put each into a file of its own")
		}
		r.service(doc.Content[0])
	}
	if diag.HasErrors(r.problems) {
		return nil, r.problems
	}
	return r.file, r.problems
}

// fileReader reads a file.
type fileReader struct {
	path     string
	file     *File
	problems []*diag.Diagnostic
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// malformed reports text that is not YAML.
func (r *fileReader) malformed(err error) {
	text := err.Error()
	at := diag.Position{Path: r.path}
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		at.Line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	hint := ""
	if strings.Contains(text, "alphabetic or numeric character") { // of an alias
		hint = `` + "\n" + `a star must be quoted: body: "*"`
	}
	r.problems = append(r.problems, diag.New(diag.Error, at, "the file is not valid YAML: %s%s", text, hint))
}

func (r *fileReader) position(n *yaml.Node) diag.Position {
	return diag.Position{Path: r.path, Line: n.Line, Column: n.Column}
}

func (r *fileReader) fail(n *yaml.Node, format string, args ...any) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, diag.New(diag.Error, r.position(n), format, args...))
	}
}

// maxProblems limits the problems of one file.
const maxProblems = 100

// service reads the whole document.
func (r *fileReader) service(doc *yaml.Node) {
	http := false
	for key, value := range r.pairs(doc, "a service configuration") {
		switch key.Value {
		case "type":
			if name := r.text(value, "type"); name != "google.api.Service" {
				r.fail(value, "type is %q: only google.api.Service has HTTP rules", diag.Clip(name))
			}
		case "config_version", "configVersion":
			if version := r.text(value, key.Value); version != "3" {
				r.fail(value, "%s is %q: it must be 3", key.Value, diag.Clip(version))
			}
		case "http":
			http = true
			r.http(value)
		}
	}
	if !http && len(r.problems) == 0 {
		r.problems = append(r.problems, diag.New(diag.Warning, diag.Position{Path: r.path}, "the file has no http rules"))
	}
}

func (r *fileReader) http(section *yaml.Node) {
	for key, value := range r.pairs(section, "http") {
		switch key.Value {
		case "rules":
			for item := range r.items(value, "http.rules") {
				if rule := r.rule(item); rule != nil {
					r.file.Rules = append(r.file.Rules, rule)
				}
			}
		case "success":
			for item := range r.items(value, "http.success") {
				r.success(item)
			}
		case "fully_decode_reserved_expansion", "fullyDecodeReservedExpansion":
			if v := r.text(value, key.Value); v != "true" && v != "false" {
				r.fail(value, "%s is %q: write true or false", key.Value, diag.Clip(v))
			}
		default:
			r.unknown(key, "http", "rules", "success", "fully_decode_reserved_expansion")
		}
	}
}

func (r *fileReader) success(item *yaml.Node) {
	s := &Success{At: r.position(item)}
	for key, value := range r.pairs(item, "an entry of http.success") {
		switch key.Value {
		case "selector":
			s.Selector = r.selector(value)
		case "code":
			code := r.text(value, "code")
			if s.Code = successCodes[code]; s.Code == 0 {
				r.fail(value, "code is %q: use 200, 201, 202 or 204", diag.Clip(code))
			}
		default:
			r.unknown(key, "an entry of http.success", "selector", "code")
		}
	}
	switch {
	case s.Selector == "":
		r.missing(item, "selector: pkg.Service.Method")
	case s.Code == 0:
		r.missing(item, "code: 201")
	default:
		r.file.Success = append(r.file.Success, s)
	}
}

// successCodes are the statuses that a rules file may set. The others of 2xx promise more
// than a status.
var successCodes = map[string]int{"200": 200, "201": 201, "202": 202, "204": 204}
