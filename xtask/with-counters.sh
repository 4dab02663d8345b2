#!/bin/sh
# Cargo's wrapper of the compiler for `cargo xtask coverage`: the compiler, which has the programs count their lines.
exec "$@" -Cinstrument-coverage
