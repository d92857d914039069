/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Declarations of the kernel and of the library's structs for the proved functions and macros.
 * The proved code itself comes from the library's files: see scripts/prove.sh. No header of the C
 * library is included, because a machine may have none for 32 bits.
 */
#ifndef _PROVE_KERNEL_H
#define _PROVE_KERNEL_H

typedef __UINT64_TYPE__ u64;
typedef __UINT32_TYPE__ u32;
typedef __UINT16_TYPE__ u16;
typedef __UINT8_TYPE__ u8;
typedef __SIZE_TYPE__ size_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef unsigned __int128 u128;
typedef _Bool bool;

#define true			1
#define false			0
#define NULL			((void *)0)
#define offsetof(_t, _m)	__builtin_offsetof(_t, _m)
#define assert(_cond)		__CPROVER_assert(_cond, #_cond)
#define assume(_cond)		__CPROVER_assume(_cond)
#define static_assert(_cond, ...)	_Static_assert(_cond, #_cond)
#define BUILD_BUG_ON_ZERO(_cond, ...)	((int)sizeof(struct { static_assert(!(_cond)); }))

#define __nonnull_args(...)
#define __must_check
#define __maybe_unused
#define __always_inline		inline
#define noinline
#define unlikely(x)		(x)
#define likely(x)		(x)
#define READ_ONCE(x)		(x)
#define VISIBLE_IF_KUNIT	static
#define KUNIT_STATIC_STUB_REDIRECT(...)
#define EXPORT_SYMBOL_IF_KUNIT(...)
#define BIT(_n)			(1U << (_n))
#define min(a, b)		((a) < (b) ? (a) : (b))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define min3(a, b, c)		min(a, min(b, c))
#define swap(a, b)		do { typeof(a) __t = (a); (a) = (b); (b) = __t; } while (0)
#define SZ_4K			0x1000
#define SZ_64K			0x10000
#define SZ_4M			0x400000
#define ARRAY_SIZE(_a)		(sizeof(_a) / sizeof((_a)[0]))
#define offsetofend(_t, _m)	(offsetof(_t, _m) + sizeof(((_t *)0)->_m))
#define container_of(_p, _t, _m)	((_t *)((char *)(_p) - offsetof(_t, _m)))
#define check_add_overflow(a, b, d)	__builtin_add_overflow(a, b, d)

#define EINVAL			22
#define ENOMEM			12
#define ENOSPC			28
#define EOPNOTSUPP		95

u64 nondet_u64(void);
u32 nondet_u32(void);
size_t nondet_size(void);
unsigned int nondet_uint(void);
bool nondet_bool(void);
int nondet_int(void);

struct drm_device;

struct dma_buf {
	size_t size;
};

struct dma_buf_attachment {
	struct dma_buf *dmabuf;
};

/* Where userspace maps an object, in pages */
struct drm_vma_node {
	uintptr_t start;
};

struct dma_resv;

struct drm_gem_object {
	struct drm_device *dev;
	size_t size;
	struct drm_vma_node vma_node;
	struct dma_resv *resv;
	struct { int lock; } gpuva;
	struct dma_buf_attachment *import_attach;
};

static inline bool drm_gem_is_imported(const struct drm_gem_object *obj)
{
	return obj->import_attach;
}

#endif /* _PROVE_KERNEL_H */
