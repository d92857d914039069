/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM drm_gpuvm_imm

#if !defined(_DRM_GPUVM_IMM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _DRM_GPUVM_IMM_TRACE_H

#include <linux/tracepoint.h>

#include "drm_gpuvm_imm_internal.h"

#define show_drm_gpuvm_imm_update_kind(kind)					\
	__print_symbolic(kind,							\
			 { DRM_GPUVM_IMM_UPDATE_MAP, "map" },			\
			 { DRM_GPUVM_IMM_UPDATE_MAP_HOLE, "map hole" },		\
			 { DRM_GPUVM_IMM_UPDATE_UNMAP, "unmap" },		\
			 { DRM_GPUVM_IMM_UPDATE_UNMAP_OBJ, "unmap_obj" },	\
			 { DRM_GPUVM_IMM_UPDATE_SPLIT, "split" })

DECLARE_EVENT_CLASS(drm_gpuvm_imm_update_class,
	TP_PROTO(const struct drm_gpuvm_imm_update *update, int ret),
	TP_ARGS(update, ret),
	TP_STRUCT__entry(
		__string(dev, dev_name(update->__vm->base.drm->dev))
		__string(name, update->__vm->name)
		__field(const void *, vm)
		__field(unsigned int, kind)
		__field(u64, addr)
		__field(u64, range)
		__field(u64, offset)
		__field(int, ret)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(name);
		__entry->vm = update->__vm;
		__entry->kind = update->__kind;
		__entry->addr = update->__addr;
		__entry->range = update->__range;
		__entry->offset = update->__offset;
		__entry->ret = ret;
	),
	TP_printk("%s %s vm=%p %s addr=0x%llx range=0x%llx offset=0x%llx ret=%d",
		  __get_str(dev), __get_str(name), __entry->vm,
		  show_drm_gpuvm_imm_update_kind(__entry->kind), __entry->addr,
		  __entry->range, __entry->offset, __entry->ret)
);

/* An update is ready to run, or there was not enough memory for it. */
DEFINE_EVENT(drm_gpuvm_imm_update_class, drm_gpuvm_imm_prepare,
	TP_PROTO(const struct drm_gpuvm_imm_update *update, int ret),
	TP_ARGS(update, ret)
);

/* An update was run. The events of its steps, and of a rollback, come before this one. */
DEFINE_EVENT(drm_gpuvm_imm_update_class, drm_gpuvm_imm_run,
	TP_PROTO(const struct drm_gpuvm_imm_update *update, int ret),
	TP_ARGS(update, ret)
);

/* A step of an update failed with @ret, and the steps before it will be undone. */
DEFINE_EVENT(drm_gpuvm_imm_update_class, drm_gpuvm_imm_rollback,
	TP_PROTO(const struct drm_gpuvm_imm_update *update, int ret),
	TP_ARGS(update, ret)
);

/* A step of the driver returned. Shows what it should map, unmap or take away. */
TRACE_EVENT(drm_gpuvm_imm_step,
	TP_PROTO(const struct drm_gpuvm_imm *vm, const char *step, u64 addr,
		 u64 range, int ret),
	TP_ARGS(vm, step, addr, range, ret),
	TP_STRUCT__entry(
		__string(dev, dev_name(vm->base.drm->dev))
		__string(name, vm->name)
		__string(step, step)
		__field(const void *, vm)
		__field(u64, addr)
		__field(u64, range)
		__field(int, ret)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(name);
		__assign_str(step);
		__entry->vm = vm;
		__entry->addr = addr;
		__entry->range = range;
		__entry->ret = ret;
	),
	TP_printk("%s %s vm=%p %s addr=0x%llx range=0x%llx ret=%d",
		  __get_str(dev), __get_str(name), __entry->vm, __get_str(step),
		  __entry->addr, __entry->range, __entry->ret)
);

/* vm_bos and VAs that were dropped in the signalling path are cleaned up. */
TRACE_EVENT(drm_gpuvm_imm_drain,
	TP_PROTO(const struct drm_gpuvm_imm *vm),
	TP_ARGS(vm),
	TP_STRUCT__entry(
		__string(dev, dev_name(vm->base.drm->dev))
		__string(name, vm->name)
		__field(const void *, vm)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(name);
		__entry->vm = vm;
	),
	TP_printk("%s %s vm=%p", __get_str(dev), __get_str(name), __entry->vm)
);

#endif /* _DRM_GPUVM_IMM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE drm_gpuvm_imm_trace
#include <trace/define_trace.h>
