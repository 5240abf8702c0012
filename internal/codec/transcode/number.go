package transcode

import (
	"bytes"
	"math"
	"strconv"
)

// maxDigits is the number of digits that always fit into 63 bits.
const maxDigits = 18

// parseInt returns the value of a JSON number that is an integer, such as 1,
// 1.0 and 10e-1.
func parseInt(b []byte, bits int) (int64, bool) {
	neg := b[0] == '-'
	if neg {
		b = b[1:]
	}
	n, ok := magnitude(b)
	if !ok {
		return 0, false
	}
	limit := uint64(1) << (bits - 1) // of negative numbers
	if neg {
		return -int64(n), n <= limit
	}
	return int64(n), n < limit
}

// parseUint is like parseInt for unsigned numbers. It accepts minus zero.
func parseUint(b []byte, bits int) (uint64, bool) {
	if b[0] == '-' {
		n, ok := magnitude(b[1:])
		return 0, ok && n == 0
	}
	n, ok := magnitude(b)
	return n, ok && n <= math.MaxUint64>>(64-bits)
}

// magnitude returns the value of an integer without a sign in JSON.
func magnitude(b []byte) (uint64, bool) {
	if len(b) > maxDigits {
		return longMagnitude(b)
	}
	n := uint64(0)
	for _, c := range b {
		if c -= '0'; c > 9 {
			return longMagnitude(b)
		}
		n = 10*n + uint64(c)
	}
	return n, true
}

// longMagnitude is like magnitude for numbers that may have a fraction or an
// exponent.
func longMagnitude(b []byte) (uint64, bool) {
	mantissa, power := b, []byte("0")
	if i := bytes.IndexAny(b, "eE"); i >= 0 {
		mantissa, power = b[:i], b[i+1:]
	}
	whole, fraction, _ := bytes.Cut(mantissa, []byte("."))
	whole, fraction = bytes.TrimLeft(whole, "0"), bytes.TrimRight(fraction, "0")
	if len(whole) == 0 && len(fraction) == 0 {
		return 0, true
	}
	exponent64, err := strconv.ParseInt(string(power), 10, 32)
	if err != nil {
		return 0, false
	}
	exponent := int(exponent64)
	switch {
	case exponent >= 0:
		if len(fraction) > exponent || len(whole)+exponent > 20 {
			return 0, false
		}
	default:
		cut := len(whole) + exponent
		if len(fraction) > 0 || cut < 0 || len(bytes.TrimRight(whole[cut:], "0")) > 0 {
			return 0, false
		}
		whole, exponent = whole[:cut], 0
	}
	digits := append(make([]byte, 0, 24), whole...)
	digits = append(digits, fraction...)
	for range exponent - len(fraction) {
		digits = append(digits, '0')
	}
	if len(digits) == 0 {
		return 0, true
	}
	n, err := strconv.ParseUint(string(digits), 10, 64)
	return n, err == nil
}
