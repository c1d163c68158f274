// Interop reads the vectors of test/vectors as docs/format.md tells, with Go's own crypto/hpke, and says where it comes
// to another answer than coffer.
//
//	interop VECTORS         opens and refuses; exit 1 where the answer differs
//	interop -seal VECTORS   seals a stanza and a value of its own, as JSON, for coffer to open
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	arguments := os.Args[1:]
	if len(arguments) == 2 && arguments[0] == "-seal" {
		sealForCoffer(arguments[1])
		return
	}
	if len(arguments) != 1 {
		fmt.Fprintln(os.Stderr, "usage: interop [-seal] VECTORS")
		os.Exit(2)
	}
	folder := arguments[0]
	checkEncodings(folder)
	checkKeys(folder)
	checkStanzas(folder)
	checkGroupSeeds(folder)
	checkValues(folder)
	checkManifests(folder)
	fmt.Printf("%d answers agree, %d differ\n", agreed, differed)
	if differed > 0 {
		os.Exit(1)
	}
}

var agreed, differed int

func check(what string, holds bool) {
	if holds {
		agreed++
		return
	}
	differed++
	fmt.Fprintln(os.Stderr, "differs:", what)
}

// unhex is bytes that stand in JSON as hex.
type unhex []byte

func (u *unhex) UnmarshalJSON(text []byte) error {
	var digits string
	if err := json.Unmarshal(text, &digits); err != nil {
		return err
	}
	decoded, err := hex.DecodeString(digits)
	*u = decoded
	return err
}

func read(folder, name string, into any) {
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, name, err)
		os.Exit(2)
	}
}

func checkEncodings(folder string) {
	var v struct {
		PAE []struct {
			Parts   []unhex
			Encoded unhex
		}
		Base64url struct {
			MustDecode []struct {
				Text  string
				Bytes unhex
			}
			MustRefuse []struct{ Why, Text string }
		}
		DataKeyIDs []struct {
			DataKey unhex
			ID      string
		}
	}
	read(folder, "encodings.json", &v)
	for _, row := range v.PAE {
		parts := make([][]byte, len(row.Parts))
		for i, part := range row.Parts {
			parts[i] = part
		}
		check("PAE", bytes.Equal(pae(parts...), row.Encoded))
	}
	for _, row := range v.Base64url.MustDecode {
		decoded, err := decodeB64u(row.Text)
		check("base64url "+row.Text, err == nil && bytes.Equal(decoded, row.Bytes))
	}
	for _, row := range v.Base64url.MustRefuse {
		_, err := decodeB64u(row.Text)
		check("base64url accepts: "+row.Why, err != nil)
	}
	for _, row := range v.DataKeyIDs {
		check("data key id "+row.ID, dataKeyID(row.DataKey) == row.ID)
	}
}

type keyVectors struct {
	Recipients []struct {
		Name, Created, Kid, Endorsement, SecretKeyText, PublicKeyText, IdentityText, IdentitySecretText string
		Seed, IdentitySeed                                                                              unhex
	}
	Texts struct {
		MustRefuse []struct{ Why, Kind, Text string }
	}
	Endorsements struct {
		MustRefuse []struct{ Why, IdentityText, Recipient, Kid, Created, Endorsement string }
	}
}

const (
	publicPrefix         = "coffer-public-1-"
	secretPrefix         = "COFFER-SECRET-1-"
	identityPrefix       = "coffer-identity-1-"
	identitySecretPrefix = "COFFER-IDENTITY-1-"
)

func checkKeys(folder string) {
	var v keyVectors
	read(folder, "keys.json", &v)
	for _, row := range v.Recipients {
		public := publicKey(row.Seed)
		check(row.Name+": kid", keyID(public) == row.Kid)
		check(row.Name+": public key", keyText(publicPrefix, public) == row.PublicKeyText)
		check(row.Name+": secret key", keyText(secretPrefix, row.Seed) == row.SecretKeyText)
		check(row.Name+": identity's secret", keyText(identitySecretPrefix, row.IdentitySeed) == row.IdentitySecretText)
		identity, err := parseKeyText(identityPrefix, 32, row.IdentityText)
		check(row.Name+": identity", err == nil)
		check(row.Name+": endorsement", verifyEndorsement(identity, row.Endorsement, row.Name, row.Kid, row.Created))
	}
	kinds := map[string]struct {
		prefix string
		length int
	}{
		"public": {publicPrefix, 1216}, "secret": {secretPrefix, 32},
		"identity": {identityPrefix, 32}, "identity-secret": {identitySecretPrefix, 32},
	}
	for _, row := range v.Texts.MustRefuse {
		_, err := parseKeyText(kinds[row.Kind].prefix, kinds[row.Kind].length, row.Text)
		check(row.Kind+" key text accepted: "+row.Why, err != nil)
	}
	for _, row := range v.Endorsements.MustRefuse {
		identity, err := parseKeyText(identityPrefix, 32, row.IdentityText)
		check("endorsement accepted: "+row.Why,
			err == nil && !verifyEndorsement(identity, row.Endorsement, row.Recipient, row.Kid, row.Created))
	}
}

type stanzaVector struct {
	Why, Recipient, Kid, DataKeyID, Stanza string
	Binding                                binding
	Seed, DataKey                          unhex
}

func checkStanzas(folder string) {
	var v struct {
		MustOpen, MustRefuse []stanzaVector
		MustNotSealTo        []struct {
			Why       string
			PublicKey unhex
		}
	}
	read(folder, "stanzas.json", &v)
	for _, row := range v.MustOpen {
		key, err := openStanza(row.Stanza, row.Recipient, row.Kid, row.Seed, row.Binding, row.DataKeyID)
		check("stanza for "+row.Recipient, err == nil && bytes.Equal(key, row.DataKey))
	}
	for _, row := range v.MustRefuse {
		_, err := openStanza(row.Stanza, row.Recipient, row.Kid, row.Seed, row.Binding, row.DataKeyID)
		check("stanza opens: "+row.Why, err != nil)
	}
	for _, row := range v.MustNotSealTo {
		_, err := seal(row.PublicKey, nil, make([]byte, 32))
		check("sealed to a public key: "+row.Why, err != nil)
	}
}

func checkGroupSeeds(folder string) {
	type vector struct {
		Why, Group, GroupKid, Member, MemberKid, Sealed string
		MemberSeed, GroupSeed                           unhex
	}
	var v struct{ MustOpen, MustRefuse []vector }
	read(folder, "group-seeds.json", &v)
	for _, row := range v.MustOpen {
		seed, err := openGroupSeed(row.Sealed, row.Group, row.GroupKid, row.Member, row.MemberKid, row.MemberSeed)
		check("seed of "+row.Group, err == nil && bytes.Equal(seed, row.GroupSeed))
	}
	for _, row := range v.MustRefuse {
		_, err := openGroupSeed(row.Sealed, row.Group, row.GroupKid, row.Member, row.MemberKid, row.MemberSeed)
		check("seed of a group opens: "+row.Why, err != nil)
	}
}

type valueVector struct {
	Why, Entry, Text          string
	Binding                   binding
	DataKey, Nonce, Plaintext unhex
}

func checkValues(folder string) {
	var v struct{ MustOpen, MustRefuse []valueVector }
	read(folder, "values.json", &v)
	for _, row := range v.MustOpen {
		plaintext, err := openValue(row.Text, row.DataKey, row.Binding, row.Entry)
		check("value: "+row.Why, err == nil && bytes.Equal(plaintext, row.Plaintext))
		if row.Nonce != nil {
			check("value sealed: "+row.Why, sealValue(row.Plaintext, row.DataKey, row.Nonce, row.Binding, row.Entry) == row.Text)
		}
	}
	for _, row := range v.MustRefuse {
		_, err := openValue(row.Text, row.DataKey, row.Binding, row.Entry)
		check("value opens: "+row.Why, err != nil)
	}
}

// checkManifests opens those in JSON: the standard library has no YAML.
func checkManifests(folder string) {
	var v struct {
		MustOpen []struct {
			Why, File, Text string
			Opener          struct {
				Recipient string
				Seed      unhex
			}
			Values map[string]unhex
		}
	}
	read(folder, "manifests.json", &v)
	opened := 0
	for _, row := range v.MustOpen {
		if filepath.Ext(row.File) != ".json" {
			continue
		}
		opened++
		values, err := openManifest([]byte(row.Text), row.Opener.Recipient, row.Opener.Seed)
		check("manifest: "+row.Why, err == nil && len(values) == len(row.Values))
		for entry, value := range row.Values {
			check("manifest: "+row.Why+": "+entry, bytes.Equal(values[entry], value))
		}
	}
	check("a manifest in JSON is among the vectors", opened > 0)
}

func sealForCoffer(folder string) {
	var v keyVectors
	read(folder, "keys.json", &v)
	to := v.Recipients[0]
	b := binding{"strict", "payments", "payments-db"}
	dataKey, nonce := make([]byte, 32), make([]byte, 24)
	rand.Read(dataKey)
	rand.Read(nonce)
	id := dataKeyID(dataKey)
	sealed, err := seal(publicKey(to.Seed), stanzaInfo(to.Name, to.Kid, b, id), dataKey)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"recipient": to.Name, "kid": to.Kid, "seed": hex.EncodeToString(to.Seed), "dataKeyId": id,
		"binding": map[string]string{"scope": b.Scope, "namespace": b.Namespace, "name": b.Name},
		"stanza":  to.Kid + ":" + b64u.EncodeToString(sealed),
		"entry":   "password",
		"value":   sealValue([]byte("sealed by Go"), dataKey, nonce, b, "password"),
	})
}
