package main

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/hpke"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
)

// What docs/format.md says, section by section, read without the TypeScript.

var (
	errGrammar = errors.New("not well-formed")
	errRefused = errors.New("does not open")
	errPadding = errors.New("padding")
	errCheck   = errors.New("mistyped")
)

// Notation.

func pae(parts ...[]byte) []byte {
	encoded := binary.LittleEndian.AppendUint64(nil, uint64(len(parts)))
	for _, part := range parts {
		encoded = binary.LittleEndian.AppendUint64(encoded, uint64(len(part)))
		encoded = append(encoded, part...)
	}
	return encoded
}

func paeStrings(parts ...string) []byte {
	encoded := make([][]byte, len(parts))
	for i, part := range parts {
		encoded[i] = []byte(part)
	}
	return pae(encoded...)
}

var b64u = base64.RawURLEncoding.Strict()
var b64uGrammar = regexp.MustCompile(`\A[A-Za-z0-9_-]*\z`)

// The standard decoder is strict about trailing bits but skips line ends.
func decodeB64u(text string) ([]byte, error) {
	if !b64uGrammar.MatchString(text) {
		return nil, errGrammar
	}
	return b64u.DecodeString(text)
}

// Recipients.

func keyID(publicKey []byte) string {
	return hex.EncodeToString(blake2b(16, pae([]byte("coffer/v1/key"), publicKey)))
}

func keyText(prefix string, key []byte) string {
	return prefix + b64u.EncodeToString(append(bytes.Clone(key), keyCheck(prefix, key)...))
}

func parseKeyText(prefix string, length int, text string) ([]byte, error) {
	rest, found := strings.CutPrefix(text, prefix)
	if !found {
		return nil, errGrammar
	}
	checked, err := decodeB64u(rest)
	if err != nil || len(checked) != length+4 {
		return nil, errGrammar
	}
	key := checked[:length]
	if !bytes.Equal(checked[length:], keyCheck(prefix, key)) {
		return nil, errCheck
	}
	return key, nil
}

func keyCheck(prefix string, key []byte) []byte {
	return blake2b(32, append([]byte(prefix), key...))[:4]
}

func verifyEndorsement(identity []byte, endorsement, recipient, kid, created string) bool {
	signature, err := decodeB64u(endorsement)
	if err != nil || len(signature) != ed25519.SignatureSize || isLowOrderIdentity(identity) {
		return false
	}
	return ed25519.Verify(identity, paeStrings("coffer/v1/endorse", recipient, kid, created), signature)
}

// The neutral element: the one point of low order that the vectors use. The standard library accepts it.
func isLowOrderIdentity(identity []byte) bool {
	neutral := make([]byte, 32)
	neutral[0] = 1
	return bytes.Equal(identity, neutral)
}

// A manifest: scope.

type binding struct{ Scope, Namespace, Name string }

func (b binding) parts() []string {
	switch b.Scope {
	case "strict":
		return []string{b.Scope, b.Namespace, b.Name}
	case "namespace":
		return []string{b.Scope, b.Namespace, ""}
	default:
		return []string{b.Scope, "", ""}
	}
}

// Data keys.

func dataKeyID(key []byte) string {
	return b64u.EncodeToString(blake2b(24, append([]byte("coffer/v1/data-key"), key...)))
}

// Stanza.

// 1,558 characters; RE2 counts to 1,000.
var stanzaGrammar = regexp.MustCompile(`\A([0-9a-f]{32}):([A-Za-z0-9_-]{1000}[A-Za-z0-9_-]{558})\z`)

func publicKey(seed []byte) []byte {
	key, err := hpke.MLKEM768X25519().NewPrivateKey(seed)
	if err != nil {
		panic(err)
	}
	return key.PublicKey().Bytes()
}

func openSealed(text, kid string, seed, info []byte) ([]byte, error) {
	match := stanzaGrammar.FindStringSubmatch(text)
	if match == nil {
		return nil, errGrammar
	}
	sealed, err := decodeB64u(match[2])
	if err != nil || match[1] != kid {
		return nil, errGrammar
	}
	key, err := hpke.MLKEM768X25519().NewPrivateKey(seed)
	if err != nil {
		return nil, err
	}
	return hpke.Open(key, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), info, sealed)
}

func seal(key, info, plaintext []byte) ([]byte, error) {
	public, err := hpke.MLKEM768X25519().NewPublicKey(key)
	if err != nil {
		return nil, err
	}
	return hpke.Seal(public, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), info, plaintext)
}

func stanzaInfo(recipient, kid string, b binding, id string) []byte {
	parts := append([]string{"coffer/v1/stanza", recipient}, b.parts()...)
	return paeStrings(append(parts, id, kid)...)
}

func openStanza(text, recipient, kid string, seed []byte, b binding, id string) ([]byte, error) {
	key, err := openSealed(text, kid, seed, stanzaInfo(recipient, kid, b, id))
	if err != nil {
		return nil, err
	}
	if dataKeyID(key) != id {
		return nil, errRefused
	}
	return key, nil
}

func openGroupSeed(text, group, groupKid, member, memberKid string, memberSeed []byte) ([]byte, error) {
	seed, err := openSealed(text, memberKid, memberSeed, paeStrings("coffer/v1/group", group, member, groupKid, memberKid))
	if err != nil {
		return nil, err
	}
	if len(seed) != 32 || keyID(publicKey(seed)) != groupKid {
		return nil, errRefused
	}
	return seed, nil
}

// Value.

var valueGrammar = regexp.MustCompile(`\ACF\[1:([A-Za-z0-9_-]{32}):([A-Za-z0-9_-]{96,})\]\z`)

func valueAAD(b binding, entry string) []byte {
	return paeStrings(append(append([]string{"coffer/v1/value"}, b.parts()...), entry)...)
}

func openValue(text string, key []byte, b binding, entry string) ([]byte, error) {
	match := valueGrammar.FindStringSubmatch(text)
	if match == nil {
		return nil, errGrammar
	}
	sealed, err := decodeB64u(match[2])
	if err != nil || len(sealed) < 72 || (len(sealed)-40)%32 != 0 {
		return nil, errGrammar
	}
	padded, ok := xchachaOpen(key, sealed[:24], valueAAD(b, entry), sealed[24:])
	if !ok {
		return nil, errRefused
	}
	unpadded, marked := bytes.CutSuffix(bytes.TrimRight(padded, "\x00"), []byte{0x80})
	if !marked {
		return nil, errPadding
	}
	return unpadded, nil
}

func sealValue(plaintext, key, nonce []byte, b binding, entry string) string {
	padded := append(bytes.Clone(plaintext), 0x80)
	padded = append(padded, make([]byte, -len(padded)&31)...)
	sealed := append(bytes.Clone(nonce), xchachaSeal(key, nonce, valueAAD(b, entry), padded)...)
	return "CF[1:" + dataKeyID(key) + ":" + b64u.EncodeToString(sealed) + "]"
}

// A manifest, in JSON and without templates, by one recipient's only key.

func openManifest(text []byte, recipient string, seed []byte) (map[string][]byte, error) {
	var manifest struct {
		Metadata struct{ Name, Namespace string }
		Spec     struct {
			Scope string
			Data  map[string]string
			Keys  map[string]map[string]string
		}
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, err
	}
	scope := cmp.Or(manifest.Spec.Scope, "strict")
	b := binding{scope, manifest.Metadata.Namespace, manifest.Metadata.Name}
	kid := keyID(publicKey(seed))
	values := map[string][]byte{}
	for entry, sealed := range manifest.Spec.Data {
		match := valueGrammar.FindStringSubmatch(sealed)
		if match == nil {
			return nil, errGrammar
		}
		key, err := openStanza(manifest.Spec.Keys[match[1]][recipient], recipient, kid, seed, b, match[1])
		if err != nil {
			return nil, err
		}
		if values[entry], err = openValue(sealed, key, b, entry); err != nil {
			return nil, err
		}
	}
	return values, nil
}
