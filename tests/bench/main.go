package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	if len(args) > 0 && args[0] == "serve" {
		return serve(ctx, args[1:])
	}
	if len(args) > 0 && args[0] == "call" {
		return runClient(ctx, args[1:])
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	plan, err := parsePlan(args)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removePeers()) }()
	printMachine(os.Stdout)
	for _, contest := range plan.contests {
		groups, err := plan.measure(ctx, contest)
		if err != nil {
			return err
		}
		printTable(os.Stdout, contest, groups)
	}
	return nil
}
