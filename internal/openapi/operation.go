package openapi

import (
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/httprule"
)

const (
	errorResponse = "error"
	streamError   = "stream-error" // no message has such a name
)

// operation returns an operation of a path item.
func (b *builder) operation(p *pathItem, op *operation) object {
	o := obj("tags", list{string(op.Method.Parent().FullName())})
	comment := b.comments[op.Method]
	summary := summaryOf(comment)
	o.setText("summary", summary)
	if strings.TrimSuffix(comment, ".") != summary {
		o.setText("description", comment)
	}
	o.set("operationId", op.id)
	if params := append(b.pathParams(p, op), b.queryParams(op)...); len(params) > 0 {
		o.set("parameters", params)
	}
	if content := b.requestContent(op); content != nil {
		o.set("requestBody", obj("required", true, "content", content))
	}
	o.set("responses", b.responses(op))
	if IsDeprecated(op.Method) {
		o.set("deprecated", true)
	}
	return o
}

// pathParams returns the parameters in the path.
func (b *builder) pathParams(p *pathItem, op *operation) (params list) {
	described := make(map[int]bool)
	for i, part := range op.parts {
		param := obj("name", p.params[i], "in", "path", "required", true)
		var text, comment string
		schema := obj("type", "string")
		if part.variable >= 0 {
			v := op.Vars[part.variable]
			field := v.Field[len(v.Field)-1]
			if !described[part.variable] {
				comment = b.comments[field]
				described[part.variable] = true
			}
			if part.whole {
				if !part.multi {
					schema = b.parameter(field)
				}
			} else {
				text = "A part of `" + v.Name + "`, which is `" + b.pattern(p, op, part.variable) + "`."
			}
			if IsDeprecated(field) {
				param.set("deprecated", true)
			}
		}
		if part.multi {
			text = paragraphs(text, "It may have several segments. Its slashes are not escaped.")
			param.set("x-multi-segment", true)
		}
		param.setText("description", paragraphs(text, comment))
		param.set("schema", schema)
		params = append(params, param)
	}
	return params
}

// pattern returns the pattern of a variable, with the names of the parameters in it.
func (b *builder) pattern(p *pathItem, op *operation, variable int) string {
	c := op.Template.Captures[variable]
	wildcards := 0
	for _, s := range op.Template.Segments[:c.Start] {
		wildcards += index(s.Kind != httprule.Literal)
	}
	parts := make([]string, 0, c.End-c.Start)
	for _, s := range op.Template.Segments[c.Start:c.End] {
		if s.Kind == httprule.Literal {
			parts = append(parts, s.Text)
			continue
		}
		parts = append(parts, "{"+p.params[wildcards]+"}")
		wildcards++
	}
	return strings.Join(parts, "/")
}

// requestContent returns the content of the request's body; nil if there is no body.
func (b *builder) requestContent(op *operation) object {
	fd, md := op.Body.Field, op.Method.Input()
	switch {
	case op.Body.Whole:
		if isHTTPBody(md) {
			return anyContent()
		}
		schema := b.refWithout(md, b.inPath(op, ""))
		if op.Method.IsStreamingClient() {
			return streamContent(schema)
		}
		return jsonContent(schema)
	case fd == nil:
		return nil
	case !fd.IsList() && !fd.IsMap() && isHTTPBody(fd.Message()):
		return anyContent()
	}
	schema := b.field(fd, b.inPath(op, string(fd.Name())+"."))
	b.rules.apply(&schema, fd)
	if op.Method.IsStreamingClient() {
		return streamContent(schema)
	}
	return jsonContent(schema)
}

// inPath returns the fields below a prefix that variables of the path set.
func (b *builder) inPath(op *operation, prefix string) (missing without) {
	for _, v := range op.Vars {
		if rest, ok := strings.CutPrefix(v.Name, prefix); ok {
			missing = append(missing, rest)
		}
	}
	return missing
}

// responses returns the responses of an operation.
func (b *builder) responses(op *operation) object {
	status := op.Success
	if status == 0 {
		status = http.StatusOK
	}
	response := obj("description", http.StatusText(status))
	if response[0].value == "" {
		response[0].value = "Success"
	}
	if content := b.responseContent(op); status != http.StatusNoContent && status != http.StatusResetContent {
		response.set("content", content)
	}
	return obj(
		strconv.Itoa(status), response,
		"default", obj("$ref", "#/components/responses/"+errorResponse),
	)
}

func (b *builder) responseContent(op *operation) object {
	var schema object
	switch fd := op.Response; {
	case fd == nil:
		if isHTTPBody(op.Method.Output()) {
			return anyContent()
		}
		schema = b.ref(op.Method.Output())
	case !fd.IsList() && !fd.IsMap() && isHTTPBody(fd.Message()):
		return anyContent()
	default:
		schema = b.field(fd, nil)
	}
	if !op.Method.IsStreamingServer() {
		return jsonContent(schema)
	}
	b.streams = true
	item := obj("anyOf", list{schema, obj("$ref", schemas+streamError)})
	content := streamContent(item)
	content.set("text/event-stream", obj("schema", eventsOf(item)))
	return content
}

func isHTTPBody(md protoreflect.MessageDescriptor) bool {
	return md != nil && md.FullName() == "google.api.HttpBody"
}

func jsonContent(schema object) object {
	return obj("application/json", obj("schema", schema))
}

// streamContent describes a stream of documents. Its schema is that of all documents
// as a list, as in OpenAPI 3.2.
func streamContent(item object) object {
	all := obj("schema", obj("type", "array", "items", item))
	return obj("application/x-ndjson", all, "application/json", all)
}

// eventsOf describes a stream of Server-Sent Events.
func eventsOf(item object) object {
	text := obj("type", "string")
	return obj("type", "array", "items", obj("type", "object", "properties", obj(
		"event", obj("type", "string", "description", "`error` for an error, `end` for the last event."),
		"id", text,
		"retry", obj("type", "integer", "minimum", 0),
		"data", obj("type", "string", "contentMediaType", "application/json", "contentSchema", item),
	)))
}

// anyContent describes a body of any type: google.api.HttpBody.
func anyContent() object { return obj("*/*", object{}) }

func streamErrorSchema(status object) object {
	return obj(
		"description", "The error that ends a stream after its first message.",
		"type", "object", "properties", obj("error", status), "required", list{"error"}, "additionalProperties", false,
	)
}
