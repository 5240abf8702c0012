package schema

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel calls do for each item, on all cores. It stops early only if ctx
// ends.
func parallel[T any](ctx context.Context, items []T, do func(T)) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(items)) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(items) {
					return
				}
				do(items[i])
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// inOrder calls do for each node after its dependencies, on all cores. In
// order, dependencies come first; deps may return nodes that are not in order.
func inOrder(ctx context.Context, order []*node, deps func(*node) []*node, do func(*node)) error {
	at := make(map[*node]int, len(order))
	for i, n := range order {
		at[n] = i
	}
	waiting := make([]atomic.Int32, len(order))
	dependents := make([][]int, len(order))
	ready := make(chan int, len(order))
	for i, n := range order {
		waiting[i].Store(1)
		for _, d := range deps(n) {
			if j, ok := at[d]; ok {
				waiting[i].Add(1)
				dependents[j] = append(dependents[j], i)
			}
		}
	}
	release := func(i int) {
		if waiting[i].Add(-1) == 0 {
			ready <- i
		}
	}
	for i := range order {
		release(i)
	}
	var left atomic.Int64
	left.Store(int64(len(order)))
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(order)) {
		wg.Go(func() {
			for i := range ready {
				if ctx.Err() == nil {
					do(order[i])
				}
				for _, j := range dependents[i] {
					release(j)
				}
				if left.Add(-1) == 0 {
					close(ready)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}
