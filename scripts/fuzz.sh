#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# fuzz.sh: make random calls to the sample driver on the SMP debug kernel. KCOV guides them by the
# code that they reach in the driver and the library. out/fuzz gets the useful inputs and, after a
# crash, the last one. Add an input that has found a bug to tests/fuzz/inputs, which each run
# executes first.
#
#   TIME    seconds (300); 0 for no new inputs
#   SEED    seed for the inputs (1)
#   INPUTS  file with the first inputs (tests/fuzz/inputs)

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/guest.sh"
locked "$@"

OUT=${FUZZER%/*}
TIME=${TIME:-300}
SEED=${SEED:-1}
INPUTS=${INPUTS:-$TOP/tests/fuzz/inputs}

for name in TIME SEED; do
	[[ ${!name} =~ ^[0-9]{1,8}$ ]] || die "$name=${!name} is not a number of use"
done
[ -f "$INPUTS" ] || die "INPUTS=$INPUTS is not a file"
prepare_tree
build_fuzzer
new_share
fuzz fuzz "$TIME" "$SEED" "$INPUTS"
cp "$SHARE"/out/* "$OUT"
say "in $OUT: $(cd "$OUT" && echo ./*)"
finish
