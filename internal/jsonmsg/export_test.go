package jsonmsg

// Explain is what Decode asks when protojson has refused a document.
var Explain = explain
