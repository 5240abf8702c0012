// Package docs tests the programs that the documentation shows.
package docs
