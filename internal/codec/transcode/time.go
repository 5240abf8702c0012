package transcode

import (
	"strings"
	"time"
)

// The range of google.protobuf.Timestamp, in seconds since 1970: the years 1 to 9999.
const (
	minTimestamp = -62135596800
	maxTimestamp = 253402300799
)

// secondsPerDay ignores leap seconds, like Unix time.
const secondsPerDay = 24 * 60 * 60

// parseTimestamp reads an RFC 3339 time, with up to nine digits in the
// fraction.
func parseTimestamp(s []byte) (seconds int64, nanos int32, ok bool) {
	if seconds, nanos, ok = parseUTC(s); ok {
		return seconds, nanos, true
	}
	text := string(s)
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, 0, false
	}
	dot, zone := strings.LastIndexByte(text, '.'), strings.LastIndexAny(text, "Z-+")
	if dot >= 0 && zone-dot > len(".999999999") {
		return 0, 0, false
	}
	seconds = t.Unix()
	return seconds, int32(t.Nanosecond()), minTimestamp <= seconds && seconds <= maxTimestamp
}

// parseUTC reads the most common form, 2006-01-02T15:04:05.999999999Z with any
// number of digits in the fraction, or none.
func parseUTC(s []byte) (seconds int64, nanos int32, ok bool) {
	const form = "0000-00-00T00:00:00"
	if len(s) <= len(form) || len(s) > len(form)+len(".999999999Z") || s[len(s)-1] != 'Z' {
		return 0, 0, false
	}
	for i := range len(form) {
		if c := form[i]; c != '0' && s[i] != c || c == '0' && s[i]-'0' > 9 {
			return 0, 0, false
		}
	}
	two := func(i int) int64 { return int64(s[i]-'0')*10 + int64(s[i+1]-'0') }
	year, month, day := two(0)*100+two(2), two(5), two(8)
	hour, minute, second := two(11), two(14), two(17)
	if year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return 0, 0, false
	}
	if nanos, ok = parseFraction(s[len(form) : len(s)-1]); !ok {
		return 0, 0, false
	}
	return daysSince1970(year, month, day)*secondsPerDay + hour*3600 + minute*60 + second, nanos, true
}

// parseFraction reads a dot and one to nine digits, or nothing.
func parseFraction(s []byte) (nanos int32, ok bool) {
	if len(s) == 0 {
		return 0, true
	}
	if len(s) == 1 || s[0] != '.' {
		return 0, false
	}
	for i := range 9 {
		nanos *= 10
		if i+1 < len(s) {
			c := s[i+1] - '0'
			if c > 9 {
				return 0, false
			}
			nanos += int32(c)
		}
	}
	return nanos, true
}

func daysIn(year, month int64) int64 {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysSince1970 uses years that begin in March, so that the leap day is the
// last day of a year.
func daysSince1970(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468
}

// dateOf is the inverse of daysSince1970, for days from the year 1 on.
func dateOf(days int64) (year, month, day int64) {
	days += 719468 // since March 1 of the year 0
	era := days / 146097
	days %= 146097 // in an era of 400 years
	ofEra := (days - days/1460 + days/36524 - days/146096) / 365
	days -= 365*ofEra + ofEra/4 - ofEra/100 // in the year
	month = (5*days + 2) / 153
	day = days - (153*month+2)/5 + 1
	year = era*400 + ofEra
	if month += 3; month > 12 {
		return year + 1, month - 12, day
	}
	return year, month, day
}

// appendTime appends a time in the range of Timestamp as 2006-01-02T15:04:05.
func appendTime(out []byte, seconds int64) []byte {
	seconds -= minTimestamp // not negative
	year, month, day := dateOf(seconds/secondsPerDay + minTimestamp/secondsPerDay)
	seconds %= secondsPerDay
	two := func(n int64) (byte, byte) { return byte('0' + n/10), byte('0' + n%10) }
	b := []byte("0000-00-00T00:00:00")
	b[0], b[1] = two(year / 100)
	b[2], b[3] = two(year % 100)
	b[5], b[6] = two(month)
	b[8], b[9] = two(day)
	b[11], b[12] = two(seconds / 3600)
	b[14], b[15] = two(seconds / 60 % 60)
	b[17], b[18] = two(seconds % 60)
	return append(out, b...)
}
