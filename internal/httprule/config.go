package httprule

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
)

// Config is what several service configuration files say together. It is immutable. The
// nil Config is empty.
type Config struct {
	rules   map[protoreflect.FullName]*Rule
	success map[protoreflect.FullName]*Success
}

// NewConfig unites files. A method's last rule wins, and so does its last success code.
func NewConfig(files []*File) *Config {
	c := &Config{rules: make(map[protoreflect.FullName]*Rule), success: make(map[protoreflect.FullName]*Success)}
	for _, f := range files {
		for _, r := range f.Rules {
			c.rules[r.Selector] = r
		}
		for _, s := range f.Success {
			c.success[s.Selector] = s
		}
	}
	return c
}

// Empty reports whether the files say nothing.
func (c *Config) Empty() bool { return c == nil || len(c.rules)+len(c.success) == 0 }

// Rule returns the rule of a method, which replaces its annotation; nil if there is none.
func (c *Config) Rule(method protoreflect.FullName) *Rule {
	if c == nil {
		return nil
	}
	return c.rules[method]
}

// Success returns the success code of a method; nil if there is none.
func (c *Config) Success(method protoreflect.FullName) *Success {
	if c == nil {
		return nil
	}
	return c.success[method]
}

// Selectors calls visit with each method that a file selects, once for its rule and once
// for its success code, in no particular order.
func (c *Config) Selectors(visit func(method protoreflect.FullName, at diag.Position, isRule bool)) {
	if c == nil {
		return
	}
	for name, r := range c.rules {
		visit(name, r.Position(Part{Field: "selector"}), true)
	}
	for name, s := range c.success {
		visit(name, s.At, false)
	}
}
