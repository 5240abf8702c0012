package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers/diag"
)

// reportFormats are the ways to print the result of a check. Good says that the
// check succeeds.
var reportFormats = map[string]func(w io.Writer, r *dynserver.CheckResult, good bool){
	"text":   printCheckText,
	"json":   printCheckJSON,
	"github": printCheckGitHub,
}

func printCheckText(w io.Writer, r *dynserver.CheckResult, good bool) {
	ink := inkFor(os.Stdout)
	if text := diag.Render(r.Diagnostics); text != "" {
		fmt.Fprintln(w, ink.diagnostics(text))
	}
	for _, c := range r.Changes {
		text := fmt.Sprintf("error: %s [%s]\n", c.Message, c.Rule)
		if c.New.Path != "" {
			text += fmt.Sprintf("  --> %s\n", c.New)
		}
		fmt.Fprintln(w, ink.diagnostics(text+fmt.Sprintf("  was %s\n", c.Old)))
	}
	if len(r.Changes) > 0 {
		fmt.Fprintln(w, plural(len(r.Changes), "breaking change"))
	}
	if !good {
		return
	}
	methods := 0
	for _, s := range r.Services {
		methods += len(s.Methods)
	}
	fmt.Fprintf(w, "%s %s, %s, %s\n", ink.green("good:"), plural(r.Files, "file"), plural(len(r.Services), "service"), plural(methods, "method"))
}

// jsonFinding is one line of the format json.
type jsonFinding struct {
	Severity string `json:"severity"`
	jsonPosition
	Message string        `json:"message"`
	Rule    string        `json:"rule,omitempty"`
	Against *jsonPosition `json:"against,omitempty"`
}

type jsonPosition struct {
	Path   string `json:"path"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

func printCheckJSON(w io.Writer, r *dynserver.CheckResult, _ bool) {
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	for _, d := range r.Diagnostics {
		_ = lines.Encode(jsonFinding{ // w keeps the error
			Severity: d.Severity.String(), jsonPosition: jsonPosition{d.Path, d.Line, d.Column}, Message: d.Message,
		})
	}
	for _, c := range r.Changes {
		against := jsonPosition(c.Old)
		_ = lines.Encode(jsonFinding{
			Severity: diag.Error.String(), jsonPosition: jsonPosition(c.New), Message: c.Message,
			Rule: c.Rule, Against: &against,
		})
	}
}

// printCheckGitHub prints the commands by which a workflow of GitHub annotates
// files. Hints would drown the rest.
func printCheckGitHub(w io.Writer, r *dynserver.CheckResult, _ bool) {
	for _, d := range r.Diagnostics {
		if d.Severity != diag.Hint {
			annotate(w, d.Severity.String(), d.Position, "dyngate check", d.Message)
		}
	}
	for _, c := range r.Changes {
		annotate(w, diag.Error.String(), c.New, c.Rule, fmt.Sprintf("%s (was %s)", c.Message, c.Old))
	}
}

var (
	escapeCommand  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	escapeProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// annotate prints one command. GitHub wants no property that is empty.
func annotate(w io.Writer, command string, at diag.Position, title, message string) {
	var properties strings.Builder
	if at.Path != "" {
		properties.WriteString("file=" + escapeProperty.Replace(at.Path) + ",")
	}
	if at.Line > 0 {
		fmt.Fprintf(&properties, "line=%d,col=%d,", at.Line, at.Column)
	}
	fmt.Fprintf(w, "::%s %stitle=%s::%s\n", command, &properties, escapeProperty.Replace(title), escapeCommand.Replace(message))
}
