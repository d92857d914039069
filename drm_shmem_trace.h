/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM drm_shmem_safe

#if !defined(_DRM_SHMEM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _DRM_SHMEM_TRACE_H

#include <linux/device.h>
#include <linux/tracepoint.h>

#include <drm/drm_device.h>
#include <drm/drm_gem.h>

DECLARE_EVENT_CLASS(drm_shmem_event,
	TP_PROTO(struct drm_gem_object *gem),
	TP_ARGS(gem),
	TP_STRUCT__entry(
		__string(dev, dev_name(gem->dev->dev))
		__field(void *, gem)
		__field(size_t, size)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->gem = gem;
		__entry->size = gem->size;
	),
	TP_printk("dev=%s gem=%p size=%zu", __get_str(dev), __entry->gem, __entry->size)
);

/* The object's CPU mapping is made or removed. There is no event for each handle. */
DEFINE_EVENT(drm_shmem_event, drm_shmem_vmap,
	TP_PROTO(struct drm_gem_object *gem), TP_ARGS(gem));
DEFINE_EVENT(drm_shmem_event, drm_shmem_vunmap,
	TP_PROTO(struct drm_gem_object *gem), TP_ARGS(gem));

DEFINE_EVENT(drm_shmem_event, drm_shmem_sgt_map,
	TP_PROTO(struct drm_gem_object *gem), TP_ARGS(gem));
DEFINE_EVENT(drm_shmem_event, drm_shmem_sgt_unmap,
	TP_PROTO(struct drm_gem_object *gem), TP_ARGS(gem));
DEFINE_EVENT(drm_shmem_event, drm_shmem_sgt_revoke,
	TP_PROTO(struct drm_gem_object *gem), TP_ARGS(gem));
/* The exporter moves the memory. The event drm_shmem_sgt_unmap shows when the table is unmapped. */
DEFINE_EVENT(drm_shmem_event, drm_shmem_sgt_moved,
	TP_PROTO(struct drm_gem_object *gem), TP_ARGS(gem));

DEFINE_EVENT(drm_shmem_event, drm_shmem_purge,
	TP_PROTO(struct drm_gem_object *gem), TP_ARGS(gem));
DEFINE_EVENT(drm_shmem_event, drm_shmem_evict,
	TP_PROTO(struct drm_gem_object *gem), TP_ARGS(gem));

#endif /* _DRM_SHMEM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE drm_shmem_trace
#include <trace/define_trace.h>
