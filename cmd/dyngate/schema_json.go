package main

import (
	"bytes"
	"encoding/json"
	"io"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/internal/describe"
	"github.com/dyngate/dyngate/internal/safetext"
	"github.com/dyngate/dyngate/internal/typename"
)

// The JSON of `list` and `describe`. Its fields are documented, and stay.
type (
	jsonServices struct {
		Services []jsonService `json:"services"`
	}

	jsonService struct {
		Name    string       `json:"name"`
		Package string       `json:"package"`
		File    string       `json:"file,omitempty"`
		Origin  string       `json:"origin,omitempty"`
		Methods []jsonMethod `json:"methods,omitempty"`
	}

	jsonMethod struct {
		Name            string `json:"name,omitempty"`
		Path            string `json:"path"`
		Request         string `json:"request"`
		Response        string `json:"response"`
		ClientStreaming bool   `json:"clientStreaming"`
		ServerStreaming bool   `json:"serverStreaming"`
	}

	jsonSymbols struct {
		Symbols []jsonSymbol `json:"symbols"`
	}

	jsonSymbol struct {
		Kind    string   `json:"kind"`
		Name    string   `json:"name"`
		Package string   `json:"package"`
		File    string   `json:"file"`
		Origin  string   `json:"origin"`
		AlsoIn  []string `json:"alsoIn,omitempty"`
		Source  string   `json:"source"`

		Methods []jsonMethod    `json:"methods,omitempty"` // of a service
		Method  *jsonMethod     `json:"method,omitempty"`  // of a method
		Example json.RawMessage `json:"example,omitempty"` // a request, of a method
		Fields  []jsonField     `json:"fields,omitempty"`  // of a message
		Values  []jsonValue     `json:"values,omitempty"`  // of an enum
	}

	jsonField struct {
		Name     string `json:"name"`
		JSONName string `json:"jsonName"`
		Number   int32  `json:"number"`
		Type     string `json:"type"`
		Required bool   `json:"required,omitempty"`
		Oneof    string `json:"oneof,omitempty"`
	}

	jsonValue struct {
		Name   string `json:"name"`
		Number int32  `json:"number"`
	}
)

// writeJSON writes one indented document.
func writeJSON(w io.Writer, document any) error {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(document); err != nil {
		return err
	}
	_, err := w.Write(safetext.Escape(out.Bytes()))
	return err
}

func (l listing) json() jsonServices {
	out := jsonServices{Services: []jsonService{}}
	for _, name := range l.names {
		out.Services = append(out.Services, jsonService{Name: string(name), Package: string(name.Parent())})
	}
	for _, s := range l.services {
		out.Services = append(out.Services, jsonService{
			Name: string(s.FullName()), Package: string(s.ParentFile().Package()), File: s.ParentFile().Path(), Origin: s.Origin, Methods: methodsJSON(s),
		})
	}
	return out
}

func methodsJSON(service *dynclient.Symbol) (methods []jsonMethod) {
	for _, m := range service.Methods() {
		methods = append(methods, methodJSON(m.MethodDescriptor))
	}
	return methods
}

func methodJSON(m protoreflect.MethodDescriptor) jsonMethod {
	return jsonMethod{
		Name: string(m.Name()), Path: string(m.Parent().FullName()) + "/" + string(m.Name()),
		Request: string(m.Input().FullName()), Response: string(m.Output().FullName()),
		ClientStreaming: m.IsStreamingClient(), ServerStreaming: m.IsStreamingServer(),
	}
}

// symbolJSON describes a declaration, whose source is given.
func symbolJSON(s *dynclient.Symbol, source string) jsonSymbol {
	out := jsonSymbol{
		Kind: describe.Kind(s.Descriptor), Name: string(s.FullName()), Package: string(s.ParentFile().Package()),
		File: s.ParentFile().Path(), Origin: s.Origin, AlsoIn: s.AlsoIn(), Source: source,
	}
	switch d := s.Descriptor.(type) {
	case protoreflect.ServiceDescriptor:
		out.Methods = methodsJSON(s)
	case protoreflect.MethodDescriptor:
		method := methodJSON(d)
		out.Method = &method
	case protoreflect.MessageDescriptor:
		for i := range d.Fields().Len() {
			out.Fields = append(out.Fields, fieldJSON(d.Fields().Get(i)))
		}
	case protoreflect.EnumDescriptor:
		for i := range d.Values().Len() {
			v := d.Values().Get(i)
			out.Values = append(out.Values, jsonValue{string(v.Name()), int32(v.Number())})
		}
	}
	return out
}

func fieldJSON(fd protoreflect.FieldDescriptor) jsonField {
	field := jsonField{
		Name: string(fd.Name()), JSONName: fd.JSONName(), Number: int32(fd.Number()),
		Type: typename.OfField(fd), Required: fd.Cardinality() == protoreflect.Required,
	}
	if oneof := fd.ContainingOneof(); oneof != nil && !oneof.IsSynthetic() {
		field.Oneof = string(oneof.Name())
	}
	return field
}
