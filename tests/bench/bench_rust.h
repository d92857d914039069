/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Functions of bench_rust.rs for bench_rust_c.c */
#ifndef _DRM_SAFE_BENCH_RUST_H
#define _DRM_SAFE_BENCH_RUST_H

#include "bench.h"

struct device;
struct drm_device;

/* A context of bench_rust.rs, for a bound faux device */
void *bench_rust_new(struct device *parent);
void bench_rust_unregister(void *ctx);
bool bench_rust_free(void *ctx);
struct drm_device *bench_rust_drm(void *ctx);
void bench_rust_fill(void *ctx, unsigned int n);

int bench_rust_alloc_once(struct device *parent);
int bench_rust_register_once(struct device *parent);

/* An address space of such a context. What all steps have come to, or 0 after a failure */
void *bench_rust_vm_new(void *ctx, unsigned int n, unsigned int ops);
u64 bench_rust_vm_free(void *vm);

bench_fn bench_rust_guard;
bench_fn bench_rust_borrowed;
bench_fn bench_rust_owned;
bench_fn bench_rust_write;
bench_fn bench_rust_masked;
bench_fn bench_rust_table;
bench_fn bench_rust_checked;
bench_fn bench_rust_read;
bench_fn bench_rust_read_masked;
bench_fn bench_rust_read_table;
bench_fn bench_rust_either;
bench_fn bench_rust_io;
bench_fn bench_rust_copy_64;
bench_fn bench_rust_copy_4k;
bench_fn bench_rust_sgt;
bench_fn bench_rust_create;
bench_fn bench_rust_cold_vmap;
bench_fn bench_rust_cold_sgt;
bench_fn bench_rust_many_oldest;
bench_fn bench_rust_many_newest;
bench_fn bench_rust_obtain;
bench_fn bench_rust_obtain_first;
bench_fn bench_rust_map;
bench_fn bench_rust_unmap;
bench_fn bench_rust_split;
bench_fn bench_rust_path;

#endif /* _DRM_SAFE_BENCH_RUST_H */
