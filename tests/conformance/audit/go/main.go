// Checks a log's folder with golang.org/x/mod/sumdb: main FOLDER VKEY [KEPT_CHECKPOINT]. Shares no code with Troth.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type folder string

func (f folder) Height() int                         { return 8 }
func (f folder) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(string(f), strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

func must(err error) {
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
}

func checkpoint(path, vkey string) tlog.Tree {
	message, err := os.ReadFile(path)
	must(err)
	verifier, err := note.NewVerifier(vkey)
	must(err)
	opened, err := note.Open(message, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := base64.StdEncoding.DecodeString(lines[2])
	must(err)
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree
}

func entries(f folder, size int64) [][]byte {
	var out [][]byte
	for n := int64(0); n*256 < size; n++ {
		width := 256
		if size-n*256 < 256 {
			width = int(size - n*256)
		}
		tile := tlog.Tile{H: 8, L: -1, N: n, W: width}
		path := strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(string(f), path))
		must(err)
		for len(data) > 1 {
			length := int(binary.BigEndian.Uint16(data))
			out, data = append(out, data[2:2+length]), data[2+length:]
		}
	}
	return out
}

func main() {
	f := folder(os.Args[1])
	tree := checkpoint(filepath.Join(string(f), "checkpoint"), os.Args[2])
	reader := tlog.TileHashReader(tree, f)
	all := entries(f, tree.N)
	if int64(len(all)) != tree.N {
		must(fmt.Errorf("%d entries, not %d", len(all), tree.N))
	}
	for n, entry := range all {
		proof, err := tlog.ProveRecord(tree.N, int64(n), reader)
		must(err)
		must(tlog.CheckRecord(proof, tree.N, tree.Hash, int64(n), tlog.RecordHash(entry)))
	}
	if len(os.Args) > 3 {
		kept := checkpoint(os.Args[3], os.Args[2])
		if kept.N > tree.N {
			must(fmt.Errorf("rolled back from %d to %d", kept.N, tree.N))
		}
		proof, err := tlog.ProveTree(tree.N, kept.N, reader)
		must(err)
		must(tlog.CheckTree(proof, tree.N, tree.Hash, kept.N, kept.Hash))
	}
	fmt.Println("holds:", tree.N)
}
