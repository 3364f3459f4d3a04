// A destination for the benchmarks, and a load on it that shows how much it takes.
//
//	sink serve            listen on a free port of this machine, print the port; GET /stats tells what came
//	sink load URL N C     post N requests over C connections, print the rate as JSON
//
// A body with "callbackUrl":"<nanoseconds since 1970>" is timed from then on.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"
)

var mark = []byte(`"callbackUrl":"`)

type sink struct {
	sync.Mutex
	count int
	last  time.Time
	late  []float64
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/stats" {
		s.stats(w)
		return
	}
	body, _ := io.ReadAll(r.Body)
	now := time.Now()
	late := -1.0
	if at := bytes.Index(body, mark); at >= 0 {
		rest := body[at+len(mark):]
		if end := bytes.IndexByte(rest, '"'); end > 0 {
			if sent, err := strconv.ParseInt(string(rest[:end]), 10, 64); err == nil {
				late = float64(now.UnixNano()-sent) / 1e6
			}
		}
	}
	s.Lock()
	s.count++
	s.last = now
	if late >= 0 {
		s.late = append(s.late, late)
	}
	s.Unlock()
	w.WriteHeader(http.StatusAccepted)
}

func (s *sink) stats(w http.ResponseWriter) {
	s.Lock()
	defer s.Unlock()
	sorted := append([]float64(nil), s.late...)
	sort.Float64s(sorted)
	at := func(share float64) float64 {
		if len(sorted) == 0 {
			return 0
		}
		return sorted[int(share*float64(len(sorted)-1))]
	}
	fmt.Fprintf(w, `{"count": %d, "p50": %.3f, "p99": %.3f, "most": %.3f}`, s.count, at(0.5), at(0.99), at(1))
}

func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	http.Serve(listener, &sink{})
}

func load(url string, count, connections int) {
	body := bytes.Repeat([]byte("x"), 1500)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	began := time.Now()
	var wait sync.WaitGroup
	for range connections {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for range count / connections {
				answer, err := client.Post(url, "application/json", bytes.NewReader(body))
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
		}()
	}
	wait.Wait()
	fmt.Printf(`{"rate": %.1f}`+"\n", float64(count/connections*connections)/time.Since(began).Seconds())
}

func main() {
	if len(os.Args) == 5 && os.Args[1] == "load" {
		count, _ := strconv.Atoi(os.Args[3])
		connections, _ := strconv.Atoi(os.Args[4])
		load(os.Args[2], count, connections)
		return
	}
	serve()
}
