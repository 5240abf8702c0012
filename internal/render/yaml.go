package render

import (
	"bytes"
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/internal/jsonmsg"
	"github.com/dyngate/dyngate/internal/safetext"
	"github.com/dyngate/dyngate/internal/yamltext"
)

// appendYAML writes the message's JSON as YAML, in the same order.
func appendYAML(b []byte, m proto.Message, o Options) ([]byte, error) {
	text, err := jsonmsg.Encode(m, o.Types, jsonmsg.EncodeOptions{EmitDefaults: o.EmitDefaults})
	if err != nil {
		return nil, err
	}
	tokens := json.NewDecoder(bytes.NewReader(text))
	tokens.UseNumber()
	node, err := yamlNode(tokens, 0)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(node); err != nil {
		return nil, err
	}
	return append(b, safetext.Escape(out.Bytes())...), enc.Close()
}

// maxIndented bounds how many levels are indented; most of more would be spaces.
const maxIndented = 64

// yamlNode makes a node of the next value.
func yamlNode(tokens *json.Decoder, depth int) (*yaml.Node, error) {
	tok, err := tokens.Token()
	if err != nil {
		return nil, err
	}
	switch tok := tok.(type) {
	case string:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: tok, Style: styles[yamltext.StyleOf(tok)]}, nil
	case json.Number:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: yamlNumber(tok.String())}, nil
	case json.Delim:
		return yamlCollection(tokens, tok, depth)
	}
	word, err := json.Marshal(tok) // true, false or null
	return &yaml.Node{Kind: yaml.ScalarNode, Value: string(word)}, err
}

func yamlCollection(tokens *json.Decoder, open json.Delim, depth int) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.SequenceNode}
	if open == '{' {
		node.Kind = yaml.MappingNode
	}
	if depth == maxIndented {
		node.Style = yaml.FlowStyle
	}
	for tokens.More() {
		item, err := yamlNode(tokens, depth+1)
		if err != nil {
			return nil, err
		}
		if open == '{' && len(node.Content)%2 == 0 && item.Style == yaml.LiteralStyle {
			item.Style = yaml.DoubleQuotedStyle // a key
		}
		node.Content = append(node.Content, item)
	}
	_, err := tokens.Token()
	return node, err
}

// yamlNumber writes 1e+21 as 1.0e+21, without which YAML 1.1 takes it for a string.
func yamlNumber(s string) string {
	if i := strings.IndexByte(s, 'e'); i >= 0 && !strings.Contains(s, ".") {
		return s[:i] + ".0" + s[i:]
	}
	return s
}

// styles are the library's names of the styles of strings.
var styles = map[yamltext.Style]yaml.Style{yamltext.Quoted: yaml.DoubleQuotedStyle, yamltext.Plain: 0, yamltext.Lines: yaml.LiteralStyle}
