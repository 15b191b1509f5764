#!/bin/sh
# Runs the project's tests; the exit code says whether they pass.
exec /usr/bin/python3 -B -m unittest -v slug_test
