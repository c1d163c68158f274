// Verifies a log of coffer with nothing of coffer: the signed note and the tree are those of golang.org/x/mod/sumdb, which Go's own
// checksum database uses; the layout is read from the page of C2SP (tlog-tiles). Every hash and every record is looked at.
//
//	verifier [-checkpoint FILE]... [-pruned N] KEY DIRECTORY
//
// KEY is a verifier key as sumdb/note writes it: NAME+HASH+BASE64. Prints "ok SIZE ROOT", or what is wrong, and then exits with 1.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	width  = 1 << height
)

type files []string

func (f *files) String() string        { return strings.Join(*f, " ") }
func (f *files) Set(name string) error { *f = append(*f, name); return nil }

func main() {
	var older files
	flag.Var(&older, "checkpoint", "an earlier checkpoint, which must be a prefix of the log")
	pruned := flag.Int64("pruned", 0, "records whose text may be missing from the beginning")
	flag.Parse()
	if flag.NArg() != 2 {
		flag.Usage()
		os.Exit(2)
	}
	tree, err := verify(flag.Arg(0), flag.Arg(1), older, *pruned)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ok", tree.N, tree.Hash)
}

func verify(key, directory string, older files, pruned int64) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return tlog.Tree{}, err
	}
	tree, err := readCheckpoint(filepath.Join(directory, "checkpoint"), verifier)
	if err != nil {
		return tree, err
	}
	hashes := tlog.TileHashReader(tree, tiles(directory))
	for _, name := range older {
		if err := isPrefix(name, verifier, tree, hashes); err != nil {
			return tree, err
		}
	}
	for first := int64(0); first < tree.N; first += width {
		if err := verifyBundle(directory, first, tree, hashes, pruned); err != nil {
			return tree, err
		}
	}
	return tree, nil
}

// readCheckpoint reads a signed note as c2sp.org/tlog-checkpoint has it; sumdb's own has another first line.
func readCheckpoint(path string, verifier note.Verifier) (tlog.Tree, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	signed, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("%s: %w", path, err)
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		return tlog.Tree{}, fmt.Errorf("%s: not a checkpoint of this log", path)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, fmt.Errorf("%s: a size that is none", path)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("%s: a root that is none", path)
	}
	return tlog.Tree{N: size, Hash: tlog.Hash(root)}, nil
}

func isPrefix(path string, verifier note.Verifier, tree tlog.Tree, hashes tlog.HashReader) error {
	former, err := readCheckpoint(path, verifier)
	if err != nil {
		return err
	}
	if former.N > tree.N {
		return fmt.Errorf("%s: the log was cut: it had %d records and has %d", path, former.N, tree.N)
	}
	proof, err := tlog.ProveTree(tree.N, former.N, hashes)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, former.N, former.Hash); err != nil {
		return fmt.Errorf("%s: not a prefix: %w", path, err)
	}
	return nil
}

// verifyBundle holds the records from first on against their leaf hashes, which the reader has held against the root, and proves the
// first of them to be in the tree.
func verifyBundle(directory string, first int64, tree tlog.Tree, hashes tlog.HashReader, pruned int64) error {
	count := min(width, tree.N-first)
	indexes := make([]int64, count)
	for i := range indexes {
		indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
	}
	leaves, err := hashes.ReadHashes(indexes)
	if err != nil {
		return fmt.Errorf("hashes of the records from %d on: %w", first+1, err)
	}
	entries, err := readBundle(directory, first/width, count)
	if errors.Is(err, fs.ErrNotExist) && first+count <= pruned {
		return nil
	}
	if err != nil {
		return err
	}
	for i, entry := range entries {
		if tlog.RecordHash(entry) != leaves[i] {
			return fmt.Errorf("record %d is not what was signed", first+int64(i)+1)
		}
	}
	proof, err := tlog.ProveRecord(tree.N, first, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, first, tlog.RecordHash(entries[0]))
}

func readBundle(directory string, index, count int64) ([][]byte, error) {
	tile := tlog.Tile{H: height, L: 0, N: index, W: int(count)}
	bundle, err := os.ReadFile(filepath.Join(directory, "tile", "entries", strings.TrimPrefix(tile.Path(), "tile/8/0/")))
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(bundle) >= 2 {
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		if end > len(bundle) {
			break
		}
		entries = append(entries, bundle[2:end])
		bundle = bundle[end:]
	}
	if len(bundle) != 0 || int64(len(entries)) != count {
		return nil, fmt.Errorf("the bundle of the records from %d on is not whole", index*width+1)
	}
	return entries, nil
}

// tiles reads tile/L/N where sumdb says tile/8/L/N.
type tiles string

func (t tiles) Height() int { return height }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(wanted))
	for i, tile := range wanted {
		bytes, err := os.ReadFile(filepath.Join(string(t), "tile", strings.TrimPrefix(tile.Path(), "tile/8/")))
		if err != nil {
			return nil, err
		}
		data[i] = bytes
	}
	return data, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}
