/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * For a file that holds only code of the fence signalling path. Include it
 * first: what may wait for memory or for a fence does not compile then, not
 * even in an inline function of a header.
 */
#ifndef _DRM_SAFE_SIGNALLING_H
#define _DRM_SAFE_SIGNALLING_H

/* Headers of these are among the first that others include. */
#if defined(_LINUX_SLAB_H) || defined(_LINUX_RESERVATION_H) || defined(_DRM_GPUVM_IMM_H)
#error "this header comes first: what is included before it is not checked"
#endif

#include <linux/compiler.h>
#include <linux/types.h>

struct dma_fence;
struct dma_resv;
struct drm_dev_bound;
struct drm_exec;
struct drm_file;
struct drm_gem_object;
struct drm_gem_shmem_object;
struct drm_gpuvm;
struct drm_gpuvm_bo;
struct drm_gpuvm_core;
struct drm_gpuvm_exec;
struct drm_gpuvm_imm;
struct drm_gpuvm_update;
struct drm_shmem_obj;
struct drm_shmem_sgt;
struct drm_shmem_sgt_owned;
struct iosys_map;
struct ww_acquire_ctx;
struct ww_mutex;

#define __drm_safe_no_alloc_here						\
	__compiletime_error("memory is allocated in a file of the fence signalling path")
#define __drm_safe_no_resv_here							\
	__compiletime_error("a reservation lock is taken in a file of the fence signalling path")
#define __drm_safe_not_here							\
	__compiletime_error("this may wait, in a file of the fence signalling path")

__drm_safe_no_alloc_here void *__drm_safe_no_alloc(void);
__drm_safe_no_alloc_here long __drm_safe_no_alloc_long(void);
__drm_safe_not_here int __drm_safe_no_wait(void);

/*
 * These are the first declarations: clang takes the attribute nowhere else.
 * The functions are refused where they are called, also by inline functions
 * like dma_resv_lock() and those that DRM_GPUVM_IMM() makes.
 */
__drm_safe_no_resv_here int ww_mutex_lock(struct ww_mutex *lock, struct ww_acquire_ctx *ctx);
__drm_safe_no_resv_here int ww_mutex_lock_interruptible(struct ww_mutex *lock,
							struct ww_acquire_ctx *ctx);
__drm_safe_no_alloc_here int dma_resv_reserve_fences(struct dma_resv *obj,
						     unsigned int num_fences);
__drm_safe_not_here long dma_fence_wait_timeout(struct dma_fence *fence, bool intr,
						long timeout);

__drm_safe_no_alloc_here void drm_exec_init(struct drm_exec *exec, u32 flags,
					    unsigned int nr);
__drm_safe_no_resv_here int drm_exec_lock_obj(struct drm_exec *exec,
					      struct drm_gem_object *obj);
__drm_safe_no_resv_here int drm_exec_prepare_obj(struct drm_exec *exec,
						 struct drm_gem_object *obj,
						 unsigned int num_fences);
__drm_safe_no_resv_here int drm_exec_prepare_array(struct drm_exec *exec,
						   struct drm_gem_object **objects,
						   unsigned int num_objects,
						   unsigned int num_fences);

__drm_safe_no_alloc_here int drm_gem_handle_create(struct drm_file *file_priv,
						   struct drm_gem_object *obj, u32 *handlep);
__drm_safe_not_here long drm_gem_dma_resv_wait(struct drm_file *filep, u32 handle,
					       bool wait_all, unsigned long timeout);
__drm_safe_not_here int drm_syncobj_find_fence(struct drm_file *file_private, u32 handle,
					       u64 point, u64 flags,
					       struct dma_fence **fence);
__drm_safe_no_resv_here void drm_gem_lock(struct drm_gem_object *obj);
__drm_safe_not_here int drm_gem_pin(struct drm_gem_object *obj);
__drm_safe_not_here int drm_gem_vmap(struct drm_gem_object *obj, struct iosys_map *map);
__drm_safe_not_here int drm_gem_vmap_locked(struct drm_gem_object *obj,
					    struct iosys_map *map);

__drm_safe_no_resv_here int drm_gpuvm_prepare_vm(struct drm_gpuvm *gpuvm,
						 struct drm_exec *exec,
						 unsigned int num_fences);
__drm_safe_no_resv_here int drm_gpuvm_prepare_objects(struct drm_gpuvm *gpuvm,
						      struct drm_exec *exec,
						      unsigned int num_fences);
__drm_safe_no_resv_here int drm_gpuvm_prepare_range(struct drm_gpuvm *gpuvm,
						    struct drm_exec *exec, u64 addr,
						    u64 range, unsigned int num_fences);
__drm_safe_no_resv_here int drm_gpuvm_exec_lock(struct drm_gpuvm_exec *vm_exec);
__drm_safe_no_resv_here int drm_gpuvm_imm_lock(struct drm_gpuvm_imm *vm,
					       struct drm_exec *exec,
					       unsigned int num_fences);
__drm_safe_no_resv_here int drm_gpuvm_core_lock_range(const struct drm_gpuvm_core *core,
						      struct drm_exec *exec, u64 addr,
						      u64 range, unsigned int num_fences);

__drm_safe_not_here int
__drm_gpuvm_prepare_map(struct drm_gpuvm_imm *vm, struct drm_gpuvm_update *update,
			struct drm_gem_object *obj, u64 addr, u64 range, u64 offset,
			void *arg, bool locked);
__drm_safe_not_here int
drm_gpuvm_prepare_map(struct drm_gpuvm_imm *vm, struct drm_gpuvm_update *update,
		      struct drm_gem_object *obj, u64 addr, u64 range, u64 offset);
__drm_safe_not_here int
drm_gpuvm_prepare_map_locked(struct drm_gpuvm_imm *vm, struct drm_gpuvm_update *update,
			     struct drm_gem_object *obj, u64 addr, u64 range, u64 offset);
__drm_safe_not_here int
drm_gpuvm_prepare_map_bo(struct drm_gpuvm_imm *vm, struct drm_gpuvm_update *update,
			 struct drm_gpuvm_bo *vm_bo, u64 addr, u64 range, u64 offset);
__drm_safe_not_here int
drm_gpuvm_prepare_map_sparse(struct drm_gpuvm_imm *vm, struct drm_gpuvm_update *update,
			     u64 addr, u64 range);
__drm_safe_not_here int
drm_gpuvm_prepare_unmap(struct drm_gpuvm_imm *vm, struct drm_gpuvm_update *update,
			u64 addr, u64 range);
__drm_safe_not_here int
drm_gpuvm_prepare_unmap_obj(struct drm_gpuvm_imm *vm, struct drm_gpuvm_update *update,
			    struct drm_gem_object *obj);
__drm_safe_not_here int
drm_gpuvm_prepare_split(struct drm_gpuvm_imm *vm, struct drm_gpuvm_update *update, u64 addr);
__drm_safe_not_here struct drm_gpuvm_bo *
__drm_gpuvm_imm_obtain(struct drm_gpuvm_imm *vm, struct drm_gem_object *obj, void *arg,
		       bool locked);
__drm_safe_not_here struct drm_gpuvm_bo *
drm_gpuvm_imm_obtain(struct drm_gpuvm_imm *vm, struct drm_gem_object *obj);
__drm_safe_not_here struct drm_gpuvm_bo *
drm_gpuvm_imm_obtain_locked(struct drm_gpuvm_imm *vm, struct drm_gem_object *obj);
__drm_safe_not_here void drm_gpuvm_imm_flush(void);
__drm_safe_not_here void drm_gpuvm_core_fini(struct drm_gpuvm_core *core);

__drm_safe_not_here int __drm_shmem_vmap_first(struct drm_shmem_obj *obj, bool locked);
__drm_safe_not_here int __drm_shmem_vmap_plain(struct drm_gem_shmem_object *shmem,
					       struct iosys_map *map, bool locked);
__drm_safe_not_here int __drm_shmem_sgt_get(const struct drm_dev_bound *bound,
					    struct drm_shmem_obj *obj,
					    struct drm_shmem_sgt *sgt, bool locked);
__drm_safe_not_here int __drm_shmem_sgt_own(const struct drm_dev_bound *bound,
					    struct drm_shmem_obj *obj,
					    struct drm_shmem_sgt_owned *own, bool locked);
__drm_safe_not_here int __drm_shmem_sgt_resume(const struct drm_dev_bound *bound,
					       struct drm_shmem_sgt_owned *own);
__drm_safe_not_here int drm_shmem_evict(struct drm_shmem_obj *obj);
__drm_safe_not_here int drm_shmem_pin(struct drm_shmem_obj *obj);
__drm_safe_not_here int drm_shmem_purge(struct drm_shmem_obj *obj);

/*
 * Those that are macros or inline functions, or take a type that cannot be
 * declared before its header, are replaced after these headers.
 */
#include <linux/device/devres.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/gfp.h>
#include <linux/idr.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/sprintf.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>

#include <drm/drm_managed.h>

#undef kmalloc
#undef kzalloc
#undef kcalloc
#undef kmalloc_array
#undef kvmalloc
#undef kvzalloc
#undef kvcalloc
#undef kvmalloc_array
#undef kmalloc_obj
#undef kzalloc_obj
#undef kmalloc_objs
#undef kzalloc_objs
#undef kmalloc_flex
#undef kzalloc_flex
#undef kmemdup
#undef kstrdup
#undef kmem_cache_alloc
#undef kmem_cache_zalloc
#undef alloc_pages
#undef __get_free_pages
#undef vmalloc
#undef vzalloc
#undef krealloc
#undef krealloc_array
#undef kmalloc_node
#undef kzalloc_node
#undef kcalloc_node
#undef kmalloc_array_node
#undef kvmalloc_node
#undef kvzalloc_node
#undef kvrealloc
#undef kmemdup_array
#undef kmemdup_nul
#undef kvmemdup
#undef kstrndup
#undef kasprintf
#undef kvasprintf
#undef memdup_user
#undef vmemdup_user
#undef kmem_cache_alloc_node
#undef kmem_cache_alloc_bulk
#undef alloc_pages_node
#undef get_zeroed_page
#undef folio_alloc
#undef vcalloc
#undef vmalloc_array
#undef vmalloc_user
#undef __vmalloc
#undef devm_kmalloc
#undef devm_kzalloc
#undef devm_kcalloc
#undef devm_kmalloc_array
#undef devm_kasprintf
#undef drmm_kmalloc
#undef drmm_kzalloc
#undef drmm_kcalloc
#undef drmm_kmalloc_array
#undef dma_alloc_attrs
#undef dma_alloc_coherent
#undef sg_alloc_table
#undef idr_alloc
#undef ida_alloc
#undef xa_alloc
#undef xa_alloc_cyclic
#undef xa_insert
#undef xa_reserve
#undef xa_store
#undef dma_resv_get_fences
#undef dma_resv_get_singleton
#undef dma_resv_wait_timeout

#define kmalloc(...)			__drm_safe_no_alloc()
#define kzalloc(...)			__drm_safe_no_alloc()
#define kcalloc(...)			__drm_safe_no_alloc()
#define kmalloc_array(...)		__drm_safe_no_alloc()
#define kvmalloc(...)			__drm_safe_no_alloc()
#define kvzalloc(...)			__drm_safe_no_alloc()
#define kvcalloc(...)			__drm_safe_no_alloc()
#define kvmalloc_array(...)		__drm_safe_no_alloc()
#define kmalloc_obj(...)		__drm_safe_no_alloc()
#define kzalloc_obj(...)		__drm_safe_no_alloc()
#define kmalloc_objs(...)		__drm_safe_no_alloc()
#define kzalloc_objs(...)		__drm_safe_no_alloc()
#define kmalloc_flex(...)		__drm_safe_no_alloc()
#define kzalloc_flex(...)		__drm_safe_no_alloc()
#define kmemdup(...)			__drm_safe_no_alloc()
#define kstrdup(...)			__drm_safe_no_alloc()
#define kmem_cache_alloc(...)		__drm_safe_no_alloc()
#define kmem_cache_zalloc(...)		__drm_safe_no_alloc()
#define alloc_pages(...)		__drm_safe_no_alloc()
#define __get_free_pages(...)		__drm_safe_no_alloc_long()
#define vmalloc(...)			__drm_safe_no_alloc()
#define vzalloc(...)			__drm_safe_no_alloc()
#define krealloc(...)			__drm_safe_no_alloc()
#define krealloc_array(...)		__drm_safe_no_alloc()
#define kmalloc_node(...)		__drm_safe_no_alloc()
#define kzalloc_node(...)		__drm_safe_no_alloc()
#define kcalloc_node(...)		__drm_safe_no_alloc()
#define kmalloc_array_node(...)		__drm_safe_no_alloc()
#define kvmalloc_node(...)		__drm_safe_no_alloc()
#define kvzalloc_node(...)		__drm_safe_no_alloc()
#define kvrealloc(...)			__drm_safe_no_alloc()
#define kmemdup_array(...)		__drm_safe_no_alloc()
#define kmemdup_nul(...)		__drm_safe_no_alloc()
#define kvmemdup(...)			__drm_safe_no_alloc()
#define kstrndup(...)			__drm_safe_no_alloc()
#define kasprintf(...)			__drm_safe_no_alloc()
#define kvasprintf(...)			__drm_safe_no_alloc()
#define memdup_user(...)		__drm_safe_no_alloc()
#define vmemdup_user(...)		__drm_safe_no_alloc()
#define kmem_cache_alloc_node(...)	__drm_safe_no_alloc()
#define kmem_cache_alloc_bulk(...)	__drm_safe_no_alloc_long()
#define alloc_pages_node(...)		__drm_safe_no_alloc()
#define get_zeroed_page(...)		__drm_safe_no_alloc_long()
#define folio_alloc(...)		__drm_safe_no_alloc()
#define vcalloc(...)			__drm_safe_no_alloc()
#define vmalloc_array(...)		__drm_safe_no_alloc()
#define vmalloc_user(...)		__drm_safe_no_alloc()
#define __vmalloc(...)			__drm_safe_no_alloc()
#define devm_kmalloc(...)		__drm_safe_no_alloc()
#define devm_kzalloc(...)		__drm_safe_no_alloc()
#define devm_kcalloc(...)		__drm_safe_no_alloc()
#define devm_kmalloc_array(...)		__drm_safe_no_alloc()
#define devm_kasprintf(...)		__drm_safe_no_alloc()
#define drmm_kmalloc(...)		__drm_safe_no_alloc()
#define drmm_kzalloc(...)		__drm_safe_no_alloc()
#define drmm_kcalloc(...)		__drm_safe_no_alloc()
#define drmm_kmalloc_array(...)		__drm_safe_no_alloc()
#define dma_alloc_attrs(...)		__drm_safe_no_alloc()
#define dma_alloc_coherent(...)		__drm_safe_no_alloc()
#define sg_alloc_table(...)		__drm_safe_no_alloc_long()
#define idr_alloc(...)			__drm_safe_no_alloc_long()
#define ida_alloc(...)			__drm_safe_no_alloc_long()
#define xa_alloc(...)			__drm_safe_no_alloc_long()
#define xa_alloc_cyclic(...)		__drm_safe_no_alloc_long()
#define xa_insert(...)			__drm_safe_no_alloc_long()
#define xa_reserve(...)			__drm_safe_no_alloc_long()
#define xa_store(...)			__drm_safe_no_alloc()
#define dma_resv_get_fences(...)	__drm_safe_no_alloc_long()
#define dma_resv_get_singleton(...)	__drm_safe_no_alloc_long()
#define dma_resv_wait_timeout(...)	__drm_safe_no_wait()

/* After all that has to be a first declaration. */
#include "drm_safe_effects.h"

#endif /* _DRM_SAFE_SIGNALLING_H */
