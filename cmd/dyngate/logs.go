package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"

	"google.golang.org/grpc/grpclog"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers/diag"
)

// logger returns the logger that the flags describe.
func (f *serveFlags) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(f.logLevel)) // one of the choices
	opts := &slog.HandlerOptions{Level: level}
	if f.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// logQueue returns the queue that the server's log is written through.
func (f *serveFlags) logQueue(w io.Writer) *logQueue {
	return newLogQueue(w, func(dropped int) []byte {
		var line bytes.Buffer
		f.logger(&line).Error("the log was not read: lines were dropped", "dropped", dropped)
		return line.Bytes()
	})
}

// redirectLogs writes the messages of grpc, and with --log-format json those of
// package log, to the queue. GRPC_GO_LOG_SEVERITY_LEVEL says which messages of
// grpc are logged; without it, errors are.
func (f *serveFlags) redirectLogs(queue io.Writer) {
	severity := strings.ToLower(os.Getenv("GRPC_GO_LOG_SEVERITY_LEVEL"))
	if f.logFormat == "json" {
		log := f.logger(queue)
		slog.SetDefault(log)
		queue = grpcLog{log}
	} else if severity != "" {
		return // grpc does so itself
	}
	// grpc writes a message to the writer of its severity and to those below, so one
	// writer gets it once.
	info, warning, failure := io.Discard, io.Discard, io.Discard
	switch severity {
	case "info":
		info = queue
	case "warning":
		warning = queue
	default:
		failure = queue
	}
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(info, warning, failure))
}

// grpcLog makes records of the lines that grpc logs: a date, a time, the severity
// and a colon, the message.
type grpcLog struct{ log *slog.Logger }

func (g grpcLog) Write(line []byte) (int, error) {
	level := slog.LevelError
	_, text, _ := strings.Cut(string(line), " ")
	_, text, _ = strings.Cut(text, " ")
	severity, message, _ := strings.Cut(text, ": ")
	switch severity {
	case "INFO":
		level = slog.LevelInfo
	case "WARNING":
		level = slog.LevelWarn
	}
	g.log.Log(context.Background(), level, strings.TrimSpace(message), "from", "grpc")
	return len(line), nil
}

// logsJSON reports whether the arguments of the command line ask for a log in
// JSON. It knows also if the flags could not be parsed.
func logsJSON(args []string) (asked bool) {
	for i, arg := range args {
		switch {
		case arg == "--":
			return asked
		case arg == "--log-format" && i+1 < len(args):
			asked = args[i+1] == "json"
		case strings.HasPrefix(arg, "--log-format="):
			asked = arg == "--log-format=json"
		}
	}
	return asked
}

// logFailure writes the error that ends the process as records of the log.
func logFailure(w io.Writer, err error) {
	log := slog.New(slog.NewJSONHandler(w, nil))
	var load *dynserver.LoadError
	if !errors.As(err, &load) {
		log.Error("failed", "error", err.Error())
		return
	}
	count := 0
	for _, d := range load.Diagnostics {
		level := slog.LevelWarn
		switch d.Severity {
		case diag.Error:
			level = slog.LevelError
			count++
		case diag.Hint:
			level = slog.LevelDebug
		}
		log.Log(context.Background(), level, d.Message, "file", d.Path, "line", d.Line, "column", d.Column)
	}
	log.Error("cannot start", "errors", count)
}
