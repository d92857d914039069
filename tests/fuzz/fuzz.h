/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * An input of the fuzzer is a list of calls. What a call gets is made from a
 * random number of its own, and so the same each time, whatever comes before.
 */
#ifndef _SGPU_FUZZ_H
#define _SGPU_FUZZ_H

#include <stdbool.h>
#include <stdint.h>

struct call {
	uint8_t kind;		/* below num_calls */
	uint8_t mood;		/* of 256 members, so many are ill-formed */
	uint32_t seed;
};

extern const unsigned int num_calls;

const char *call_name(unsigned int kind);

uint64_t random_next(uint64_t *state);

/* An input's resources: before its first call, and after its last one */
bool calls_begin(void);
void calls_end(void);

/* Returns 0, or a description of the kernel's wrong answer. */
const char *call_do(const struct call *call);

#endif /* _SGPU_FUZZ_H */
