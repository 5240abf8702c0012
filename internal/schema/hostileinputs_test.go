package schema_test

import (
	"fmt"
	"strings"
)

// hostileInputs returns folders of .proto files by name, each of about size bytes.
var hostileInputs = map[string]func(size int) map[string]string{
	// Numbers.
	"exponent of a double":    fixed(proto2 + "message X { optional double d = 1 [default = 1e999999999]; }"),
	"exponent of a float":     fixed(proto2 + "message X { optional float f = 1 [default = 1e999999999]; }"),
	"exponent of an int32":    fixed(proto2 + "message X { optional int32 i = 1 [default = 1e999999999]; }"),
	"exponent of an int64":    fixed(proto2 + "message X { optional int64 i = 1 [default = 1e999999999]; }"),
	"small exponent":          fixed(proto2 + "message X { optional double d = 1 [default = 1e-999999999]; }"),
	"exponent in a range":     fixed(proto2 + "message X { extensions 1e999999999 to max; reserved 1e-999999999; }"),
	"exponent of a tag":       fixed(proto2 + "message X { optional int32 i = 1e999999999; }"),
	"exponent of hexadecimal": fixed(proto2 + "message X { optional double d = 1 [default = 0x1p999999999]; }"),
	"exponent at the top":     fixed(proto2 + "1e999999999 1e-999999999 0x1p999999999 .1e999999999 1.e999999999 1E+999999999"),
	"many exponents":          one(fill(proto2+"message X {", "optional double d%d = %[1]d [default = 1e3000];\n", "}")),
	"digits":                  one(func(n int) string { return proto2 + "message X { optional int32 i = " + digits(n) + "; }" }),
	"digits of a default": one(func(n int) string {
		return proto2 + "message X { optional double d = 1 [default = " + digits(n) + "]; }"
	}),
	"digits of a fraction": one(func(n int) string {
		return proto2 + "message X { optional double d = 1 [default = 0." + digits(n) + "]; }"
	}),
	"digits of an exponent": one(func(n int) string {
		return proto2 + "message X { optional double d = 1 [default = 1e" + digits(n) + "]; }"
	}),
	"hexadecimal digits":      one(func(n int) string { return proto2 + "message X { optional int32 i = 0x" + rep("f", n) + "; }" }),
	"octal digits":            one(func(n int) string { return proto2 + "message X { optional int32 i = 0" + rep("7", n) + "; }" }),
	"many long numbers":       one(fill(proto2+"message X {", "optional double d%d = %[1]d [default = "+digits(900)+"];\n", "}")),
	"underscores in a number": one(func(n int) string { return proto2 + "message X { optional int32 i = 1" + rep("_1", n/2) + "; }" }),

	// Names.
	"long package": one(func(n int) string { return "syntax = \"proto3\";\npackage a" + rep(".a", n/2) + ";" }),
	"long package in use": one(func(n int) string {
		return "syntax = \"proto3\";\npackage a" + rep(".a", n/4) + ";" + rep("message M {}\n", n/26)
	}),
	"long type":           one(func(n int) string { return proto3 + "message X { a" + rep(".a", n/2) + " f = 1; }" }),
	"long option":         one(func(n int) string { return proto3 + "option a" + rep(".a", n/2) + " = 1;" }),
	"long extension name": one(func(n int) string { return proto3 + "option (a" + rep(".a", n/2) + ") = 1;" }),
	"long identifier":     one(func(n int) string { return proto3 + "message " + rep("A", n) + " {}" }),
	"long unicode name":   one(func(n int) string { return proto3 + "message " + rep("é", n/2) + " {}" }),
	"long option parts":   one(func(n int) string { return proto3 + "option " + rep("(a).", n/4) + "a = 1;" }),
	"nested names":        one(nestedNames),
	"long names of many": one(func(n int) string {
		return proto3 + "message " + rep("A", n/2) + " {" + repf(n/2, "message M%d {}\n") + "}"
	}),
	"long package of many": one(func(n int) string {
		return "syntax = \"proto3\";\npackage " + rep("A", n/2) + ";" + repf(n/2, "message M%d {}\n")
	}),
	"deep type names": one(func(n int) string {
		const depth = 400
		return proto3 + repf(depth*16, "message M%d {\n") + repf(n-depth*32, "Nope n%d = 1;\n") + rep("}", depth)
	}),

	// Diagnostics.
	"closing brackets":   one(func(n int) string { return rep("} ) ] ", n/6) }),
	"opening brackets":   one(func(n int) string { return rep("(){}[]<>\n", n/9) }),
	"brackets on lines":  one(func(n int) string { return rep("}\n)\n]\n", n/6) }),
	"escapes":            one(func(n int) string { return proto3 + "option java_package = \"" + rep(`\q`, n/2) + "\";" }),
	"unicode escapes":    one(func(n int) string { return proto3 + "option java_package = \"" + rep(`\U00110000`, n/10) + "\";" }),
	"escapes in strings": one(func(n int) string { return proto3 + "option java_package = " + rep("\"\\q\"\n", n/5) + ";" }),
	"odd characters":     one(func(n int) string { return rep("$ ", n/2) }),
	"odd unicode":        one(func(n int) string { return rep("\u202e", n/3) }),
	"comment ends":       one(func(n int) string { return rep("*/ ", n/3) }),
	"one open string":    one(func(n int) string { return "edi = \"2" + rep("} \x1c ] ", n/6) + "};" }),
	"open strings":       one(func(n int) string { return rep("\"\n", n/2) }),
	"words":              one(func(n int) string { return rep("a b c;", n/6) }),
	"one name":           one(fill(proto3+"message X {", "string f = %d;\n", "}")),
	"one name on a line": one(fill(proto3+"message X {", "string f = %d; ", "}")),
	"one number":         one(fill(proto3+"message X {", "string f%d = 1;\n", "}")),
	"one message":        one(func(n int) string { return proto3 + rep("message M {}\n", n/13) }),
	"one enum value":     one(fill(proto3+"enum E {", "A = %d;\n", "}")),
	"one enum number":    one(fill(proto3+"enum E {", "A%d = 0;\n", "}")),
	"one method": one(func(n int) string {
		return proto3 + "message M {} service S {" + rep("rpc D(M) returns (M);\n", n/22) + "}"
	}),
	"one option": one(func(n int) string { return proto3 + rep("option java_package = \"a\";\n", n/27) }),
	"one option in a list": one(func(n int) string {
		return proto3 + "message M { string s = 1 [" + rep("deprecated = true,\n", n/19) + "deprecated = true]; }"
	}),
	"one package": one(func(n int) string { return rep("package a;\n", n/11) }),
	"one syntax":  one(func(n int) string { return rep("syntax = \"proto3\";\n", n/19) }),
	"unknown editions": one(func(n int) string {
		return "edition = \"2099\";\nmessage M {" + repf(n, "string f%d = %[1]d [features.x = 1];\n") + "}"
	}),
	"unknown types":      one(fill(proto3+"message X {", "Nope f%d = %[1]d;\n", "}")),
	"unknown options":    one(fill(proto3, "option nope%d = 1;\n", "")),
	"unknown extensions": one(fill(proto3, "option (nope%d).a = 1;\n", "")),
	"equal json names":   one(func(n int) string { return proto3 + "message M {" + jsonClashes(n) + "}" }),
	"reserved twice":     one(func(n int) string { return proto3 + "message M { reserved " + rep("1 to max, ", n/10) + "1; }" }),
	"reserved names":     one(func(n int) string { return proto3 + "message M { reserved " + repf(n, "\"a%d\",\n") + "\"a\"; }" }),
	"reserved one name":  one(func(n int) string { return proto3 + "message M { reserved " + rep("\"a\",\n", n/5) + "\"a\"; }" }),
	"reserved numbers":   one(func(n int) string { return proto3 + "message M { reserved " + repf(n, "%d, ") + "536870911; }" }),
	"reserved overlaps": one(func(n int) string {
		return proto3 + "message M { reserved " + repf(n, "%d to 500000000, ") + "536870911; }"
	}),
	"reserved on a line":  one(func(n int) string { return "edition = \"2023\"; message M { reserved " + rep("a, ", n/3) + "a; }" }),
	"reserved in itself":  one(func(n int) string { return proto3 + "message M { " + rep("reserved a, ", n/12) + "a; }" }),
	"reserved wrongly":    one(func(n int) string { return proto3 + "message M { reserved " + rep("a, ", n/3) + "1; }" }),
	"extension ranges":    one(func(n int) string { return proto2 + "message M { extensions " + repf(n, "%d, ") + "536870911; }" }),
	"equal imports":       one(func(n int) string { return proto3 + rep("import \"good.proto\";\n", n/21) }),
	"missing imports":     one(fill(proto3, "import \"a%d.proto\";\n", "")),
	"shipped imports":     one(func(n int) string { return proto3 + rep("import \"google/api/annotations.proto\";\n", n/40) }),
	"bad import paths":    one(func(n int) string { return proto3 + rep("import \"./a\\\\b/../c\";\n", n/22) }),
	"fields of bad types": one(fill(proto3+"message X {", "map<X, X> f%d = %[1]d;\n", "}")),
	"wrong values":        one(fill(proto3+"message X {", "string f%d = %[1]d [deprecated = \"x\"];\n", "}")),
	"wrong labels":        one(fill(proto3+"message X {", "required string f%d = %[1]d;\n", "}")),
	"extends nothing":     one(fill(proto2, "extend Nope { optional int32 f%d = %[1]d; }\n", "")),
	"long lines": one(func(n int) string {
		return proto3 + "message X {" + strings.ReplaceAll(repf(n, "Nope f%d = %[1]d; "), "\n", " ") + "}"
	}),

	// Counts.
	"messages":         one(fill(proto3, "message M%d {}\n", "")),
	"short messages":   one(fill(proto3, "message M%d{}", "")),
	"fields":           one(fill(proto3+"message X {", "int32 f%d=%[1]d;\n", "}")),
	"maps":             one(fill(proto3+"message X {", "map<int32,X> f%d=%[1]d;\n", "}")),
	"oneofs":           one(fill(proto3+"message X {", "oneof o%d{X f%[1]d=%[1]d;}\n", "}")),
	"optionals":        one(fill(proto3+"message X {", "optional X f%d=%[1]d;\n", "}")),
	"groups":           one(fill(proto2+"message X {", "optional group G%d=%[1]d{}\n", "}")),
	"enums":            one(fill(proto3, "enum E%d{A%[1]d=0;}\n", "")),
	"enum values":      one(fill(proto3+"enum E {", "A%d=%[1]d;\n", "}")),
	"services":         one(fill(proto3, "service S%d{}\n", "")),
	"methods":          one(fill(proto3+"message M{} service S {", "rpc D%d(M)returns(M);\n", "}")),
	"extensions":       one(fill(proto2+"message M { extensions 1 to max; }\n", "extend M { optional M e%d=%[1]d; }\n", "")),
	"custom options":   one(customOptions),
	"option literals":  one(func(n int) string { return customLiteral(n, "m{} ") }),
	"option lists":     one(func(n int) string { return customLiteral(n, "m[{}] ") }),
	"option numbers":   one(func(n int) string { return customLiteral(n, "i:1 ") }),
	"option arrays":    one(func(n int) string { return proto2 + customOption + "option (x) = { i: [" + rep("1,", n/2) + "1] };" }),
	"option paths":     one(optionPaths),
	"semicolons":       one(func(n int) string { return proto3 + rep(";", n) }),
	"strings":          one(func(n int) string { return proto3 + "option java_package = " + rep("''", n/2) + ";" }),
	"string":           one(func(n int) string { return proto3 + "option java_package = '" + rep("a", n) + "';" }),
	"plus signs":       one(func(n int) string { return proto3 + "option x = " + rep("+", n) + "1;" }),
	"dots":             one(func(n int) string { return proto3 + "message X { " + rep(".", n) + "a f = 1; }" }),
	"commas":           one(func(n int) string { return proto3 + "message X { string s = 1 [" + rep(",", n) + "]; }" }),
	"one letter each":  one(func(n int) string { return rep("a\n", n/2) }),
	"option words":     one(func(n int) string { return rep("option ", n/7) }),
	"message words":    one(func(n int) string { return rep("message X\n", n/10) }),
	"comments":         one(func(n int) string { return proto3 + rep("//\n", n/3) + "message X {}" }),
	"block comments":   one(func(n int) string { return proto3 + rep("/**/", n/4) + "message X {}" }),
	"new lines":        one(func(n int) string { return proto3 + rep("\n", n) + "message X {}" }),
	"comments between": one(fill(proto3+"message X {", "/**/int32/**/f%d/**/=/**/%[1]d/**/;//\n", "}")),
	"nested":           one(func(n int) string { return proto3 + rep(rep("message X {", 400)+rep("}", 400)+"\n", n/4801) }),
	"angle brackets":   one(func(n int) string { return proto3 + "message X { " + rep("<", n) + " }" }),
	"a file of bytes":  one(func(n int) string { return rep("\xff\xfe", n/2) }),

	// Files.
	"all import each other":  allImportAll(80),
	"cycle of many":          cycleOfMany,
	"public layers":          publicLayers(4, 0),
	"public layers of two":   publicLayers(2, 0),
	"public layers, in use":  publicLayers(4, 3),
	"public chain":           publicLayers(1, 0),
	"layers that are broken": brokenLayers,
	"services of one name":   servicesOfOneName,
	"one extension number":   extensionsOfOneNumber,
	"all import all of them": importAll,
}

const (
	proto2       = "syntax = \"proto2\";\npackage x;\n"
	proto3       = "syntax = \"proto3\";\npackage x;\n"
	customOption = "import \"google/protobuf/descriptor.proto\";\nmessage O { repeated O m = 1; repeated int32 i = 2; extensions 100 to max; }\n" +
		"extend google.protobuf.FileOptions { optional O x = 50000; repeated O xs = 50001; }\n"
)

func rep(s string, n int) string { return strings.Repeat(s, max(n, 0)) }

func digits(n int) string { return rep("1234567890", n/10) }

// repf repeats a format with a rising number up to a size.
func repf(size int, format string) string {
	var b strings.Builder
	for i := 1; b.Len() < size; i++ {
		if i == 19000 {
			i = 20000 // numbers that fields may not have
		}
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func fill(head, format, tail string) func(int) string {
	return func(n int) string { return head + repf(n, format) + tail }
}

func one(text func(int) string) func(int) map[string]string {
	return func(size int) map[string]string { return map[string]string{"x.proto": text(size)} }
}

func fixed(text string) func(int) map[string]string {
	return one(func(int) string { return text })
}

func nestedNames(n int) string {
	const depth = 400
	name := rep("A", max(1, n/depth-9))
	var b strings.Builder
	b.WriteString(proto3)
	for range depth {
		b.WriteString("message " + name + "{")
	}
	return b.String() + rep("}", depth)
}

// jsonClashes are fields with different names and equal JSON names.
func jsonClashes(n int) string {
	var b strings.Builder
	for i := 1; b.Len() < n && i < 1<<18; i++ {
		name := []byte("a_b_c_d_e_f_g_h_i_j_k_l_m_n_o_p_q_r_s")
		for bit := range 18 {
			if i>>bit&1 == 1 {
				name[2*bit+1] = name[2*bit+2] - 'a' + 'A'
				name[2*bit+2] = '_'
			}
		}
		fmt.Fprintf(&b, "int32 %s = %d;\n", name, i+20000)
	}
	return b.String()
}

func customOptions(n int) string {
	return proto2 + customOption + repf(n, "option (xs) = { i: %d m { i: 2 } };\n")
}

func customLiteral(n int, field string) string {
	return proto2 + customOption + "option (x) = {" + rep(field, n/len(field)) + "};"
}

// optionPaths sets many deeply nested options.
func optionPaths(n int) string {
	head := "message P { optional P p = 1; repeated int32 i = 2; }\nextend google.protobuf.FileOptions { optional P q = 50002; }\n"
	line := "option (q)" + rep(".p", 100) + ".i = 1;\n"
	return proto2 + customOption + head + rep(line, n/len(line))
}

func allImportAll(count int) func(int) map[string]string {
	return func(int) map[string]string {
		files := make(map[string]string)
		for i := range count {
			text := proto3
			for j := range count {
				text += fmt.Sprintf("import \"f%d.proto\";\n", j)
			}
			files[fmt.Sprintf("f%d.proto", i)] = text
		}
		return files
	}
}

// importAll returns files that each import all files before them.
func importAll(size int) map[string]string {
	files := make(map[string]string)
	text := proto3
	for i := 0; size > 0; i++ {
		files[fmt.Sprintf("f%d.proto", i)] = text
		text += fmt.Sprintf("import public \"f%d.proto\";\n", i)
		size -= len(text)
	}
	return files
}

func cycleOfMany(size int) map[string]string {
	files := make(map[string]string)
	count := size / 60
	for i := range count {
		files[fmt.Sprintf("f%d.proto", i)] = proto3 + fmt.Sprintf("import \"f%d.proto\";\n", (i+1)%count)
	}
	return files
}

// publicLayers are layers of files that each import all of the next publicly.
func publicLayers(width, fields int) func(int) map[string]string {
	return func(size int) map[string]string {
		files := make(map[string]string)
		for layer := 0; size > 0; layer++ {
			for i := range width {
				text := fmt.Sprintf("syntax = \"proto3\";\npackage p%d_%d;\nmessage M {", layer, i)
				if layer > 0 {
					for f := range fields {
						text += fmt.Sprintf("p0_%d.M m%d = %d;", f%width, f, f+1)
					}
				}
				text += "}\n"
				for j := range width {
					if layer > 0 {
						text += fmt.Sprintf("import public \"l%d_%d.proto\";\n", layer-1, j)
					}
				}
				files[fmt.Sprintf("l%d_%d.proto", layer, i)] = text
				size -= len(text)
			}
		}
		return files
	}
}

func brokenLayers(size int) map[string]string {
	files := publicLayers(4, 1)(size)
	for name, text := range files {
		files[name] = text + "message X { Nope n = 1; }\n"
	}
	return files
}

func servicesOfOneName(size int) map[string]string {
	files := make(map[string]string)
	for i := 0; size > 0; i++ {
		text := proto3 + "service S {}"
		files[fmt.Sprintf("f%d.proto", i)] = text
		size -= len(text)
	}
	return files
}

// extensionsOfOneNumber are files that one file imports, which all use one extension number.
func extensionsOfOneNumber(size int) map[string]string {
	files := map[string]string{}
	all := proto2
	for i := 0; size > 0; i++ {
		text := fmt.Sprintf("%simport \"google/protobuf/descriptor.proto\"; extend google.protobuf.FileOptions { optional int32 e%d = 50000; }", proto2, i)
		files[fmt.Sprintf("f%d.proto", i)] = text
		line := fmt.Sprintf("import \"f%d.proto\";\n", i)
		all += line
		size -= len(text) + len(line)
	}
	files["z.proto"] = all
	return files
}
