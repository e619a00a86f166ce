package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	backend := "http://127.0.0.1:" + os.Getenv("BACKEND_PORT") + "/"
	client := &http.Client{
		Timeout:   5 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		value, err := ask(client, backend)
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			json.NewEncoder(w).Encode(map[string]string{"error_message": err.Error(), "status": "[ERROR]"})
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"return": value, "status": "[SUCESS]"})
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}

func ask(client *http.Client, url string) (value any, err error) {
	answer, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET / on backend API %d", answer.StatusCode)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	return value, json.Unmarshal(body, &value)
}
