module coffer.dev/interop

go 1.26
