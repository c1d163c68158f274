package main

import (
	"crypto/subtle"
	"encoding/binary"
	"math/big"
	"math/bits"
	"slices"
)

// XChaCha20-Poly1305-IETF (draft-irtf-cfrg-xchacha over RFC 8439), written for plainness: the standard library shows
// no ChaCha20-Poly1305 of its own.

// xchachaSeal returns ciphertext and tag.
func xchachaSeal(key, nonce, aad, plaintext []byte) []byte {
	subkey, inner := xchachaKey(key, nonce)
	ciphertext := chachaXOR(subkey, inner, 1, plaintext)
	return append(ciphertext, chachaTag(subkey, inner, aad, ciphertext)...)
}

// xchachaOpen returns the plaintext, and whether the tag is right.
func xchachaOpen(key, nonce, aad, sealed []byte) ([]byte, bool) {
	if len(sealed) < 16 {
		return nil, false
	}
	subkey, inner := xchachaKey(key, nonce)
	ciphertext, tag := sealed[:len(sealed)-16], sealed[len(sealed)-16:]
	if subtle.ConstantTimeCompare(tag, chachaTag(subkey, inner, aad, ciphertext)) != 1 {
		return nil, false
	}
	return chachaXOR(subkey, inner, 1, ciphertext), true
}

func xchachaKey(key, nonce []byte) (subkey, inner []byte) {
	state := chachaState(key, nonce[:16])
	chachaRounds(&state)
	for _, word := range slices.Concat(state[:4], state[12:]) {
		subkey = binary.LittleEndian.AppendUint32(subkey, word)
	}
	return subkey, append(make([]byte, 4), nonce[16:]...)
}

// chachaState takes 16 bytes after the key: counter and nonce, or HChaCha20's input.
func chachaState(key, rest []byte) (state [16]uint32) {
	copy(state[:], []uint32{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574})
	for i := range 8 {
		state[4+i] = binary.LittleEndian.Uint32(key[4*i:])
	}
	for i := range 4 {
		state[12+i] = binary.LittleEndian.Uint32(rest[4*i:])
	}
	return state
}

func chachaRounds(x *[16]uint32) {
	quarter := func(a, b, c, d int) {
		x[a] += x[b]
		x[d] = bits.RotateLeft32(x[d]^x[a], 16)
		x[c] += x[d]
		x[b] = bits.RotateLeft32(x[b]^x[c], 12)
		x[a] += x[b]
		x[d] = bits.RotateLeft32(x[d]^x[a], 8)
		x[c] += x[d]
		x[b] = bits.RotateLeft32(x[b]^x[c], 7)
	}
	for range 10 {
		for i := range 4 {
			quarter(i, 4+i, 8+i, 12+i)
		}
		for i := range 4 {
			quarter(i, 4+(i+1)%4, 8+(i+2)%4, 12+(i+3)%4)
		}
	}
}

func chachaBlock(key, nonce []byte, counter uint32) (block []byte) {
	initial := chachaState(key, append(binary.LittleEndian.AppendUint32(nil, counter), nonce...))
	state := initial
	chachaRounds(&state)
	for i, word := range state {
		block = binary.LittleEndian.AppendUint32(block, word+initial[i])
	}
	return block
}

func chachaXOR(key, nonce []byte, counter uint32, input []byte) []byte {
	output := make([]byte, len(input))
	for at := 0; at < len(input); at += 64 {
		end := min(at+64, len(input))
		subtle.XORBytes(output[at:end], input[at:end], chachaBlock(key, nonce, counter))
		counter++
	}
	return output
}

// chachaTag is Poly1305 over aad and ciphertext, each padded to 16 bytes, and their lengths (RFC 8439 §2.8).
func chachaTag(key, nonce, aad, ciphertext []byte) []byte {
	padded := func(bytes []byte) []byte { return append(slices.Clone(bytes), make([]byte, -len(bytes)&15)...) }
	message := slices.Concat(padded(aad), padded(ciphertext))
	message = binary.LittleEndian.AppendUint64(message, uint64(len(aad)))
	message = binary.LittleEndian.AppendUint64(message, uint64(len(ciphertext)))
	return poly1305(chachaBlock(key, nonce, 0)[:32], message)
}

// poly1305 takes whole blocks of 16 bytes only (RFC 8439 §2.5).
func poly1305(key, message []byte) []byte {
	clamp := littleEndian([]byte("\xff\xff\xff\x0f\xfc\xff\xff\x0f\xfc\xff\xff\x0f\xfc\xff\xff\x0f"))
	r := new(big.Int).And(littleEndian(key[:16]), clamp)
	prime := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 130), big.NewInt(5))
	sum := new(big.Int)
	for block := range slices.Chunk(message, 16) {
		sum.Add(sum, littleEndian(append(slices.Clone(block), 1)))
		sum.Mod(sum.Mul(sum, r), prime)
	}
	sum.Add(sum, littleEndian(key[16:]))
	tag := sum.FillBytes(make([]byte, 32))[16:]
	slices.Reverse(tag)
	return tag
}

func littleEndian(bytes []byte) *big.Int {
	reversed := slices.Clone(bytes)
	slices.Reverse(reversed)
	return new(big.Int).SetBytes(reversed)
}
