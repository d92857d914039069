# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# kbuild reads the first part; people, who call make in this directory, get
# the second.

ifneq ($(KERNELRELEASE),)

drm_safe-y := drm_safe_main.o drm_dev_ctx.o drm_dev_ctx_async.o drm_dev_ctx_bindings.o drm_dev_ctx_dma.o \
	      drm_dev_ctx_ids.o drm_dev_ctx_known.o drm_dev_ctx_res.o drm_dev_ctx_sleepers.o drm_dev_ctx_watch.o \
	      drm_shmem_obj.o drm_shmem_objs.o drm_shmem_vmap.o drm_shmem_sgt.o drm_shmem_reclaim.o drm_shmem_shrinker.o \
	      drm_shmem_mmap.o drm_shmem_prime.o drm_shmem_exports.o drm_shmem_follow.o drm_shmem_ends.o drm_gem_table.o drm_gem_sgt.o \
	      drm_shmem_sync.o drm_shmem_device.o drm_shmem_fdinfo.o drm_shmem_list.o drm_shmem_work.o drm_shmem_wait.o \
	      drm_shmem_lru.o drm_shmem_pages.o drm_gem_exports.o
drm_safe-$(CONFIG_DRM_SAFE_GPUVM) += drm_gpuvm_imm.o drm_gpuvm_imm_pool.o drm_gpuvm_imm_run.o \
				     drm_gpuvm_imm_exec.o drm_gpuvm_imm_end.o
ifdef CONFIG_DEBUG_FS
drm_safe-$(CONFIG_DRM_SAFE_GPUVM) += drm_gpuvm_imm_debugfs.o
endif
# The fence signalling path: neither allocates nor waits for what waits for fences.
drm_safe_signalling-$(if $(CONFIG_DRM_SAFE),$(CONFIG_DRM_SAFE_GPUVM)) := drm_gpuvm_imm_run.o
drm_safe_signalling_list := $(src)/signalling.list
include $(src)/scripts/Makefile.signalling
obj-$(CONFIG_DRM_SAFE) += drm_safe.o

# gcc's part of what clang never allows: a jump past an initialisation
subdir-ccflags-y += $(call cc-option,-Wjump-misses-init)

# Clang's context analysis. DRM's own headers have not been prepared for it.
CONTEXT_ANALYSIS := y
ccflags-$(CONFIG_WARN_CONTEXT_ANALYSIS) += --system-header-prefix=drm/

# define_trace.h includes the header of the tracepoints again, from elsewhere
CFLAGS_drm_dev_ctx_watch.o := -I$(src)
CFLAGS_drm_gpuvm_imm_end.o := -I$(src)
CFLAGS_drm_shmem_pages.o := -I$(src)

# The fuzzer asks what it reaches in here, whatever CONFIG_KCOV_INSTRUMENT_ALL says.
KCOV_INSTRUMENT := y

# One copy of each function, to count what it does in one place
ccflags-$(CONFIG_GCOV) += -fno-inline

obj-$(or $(CONFIG_DRM_SAFE_KUNIT_TEST),$(CONFIG_DRM_SAFE_BENCH)) += tests/
obj-$(CONFIG_DRM_SAFE_SGPU) += samples/sgpu/
obj-$(CONFIG_DRM_SAFE_VGPU) += samples/vgpu/
obj-$(CONFIG_DRM_SAFE_EDU) += samples/edu/

# An external module has no Kconfig: the C code learns here what make was told.
ifneq ($(KBUILD_EXTMOD),)
config_define = $(if $(filter y,$($(1))),-D$(1)=1)$(if $(filter m,$($(1))),-D$(1)_MODULE=1)
subdir-ccflags-y += $(foreach c,$(filter CONFIG_DRM_SAFE%,$(sort $(.VARIABLES))),\
	$(call config_define,$(c)))
endif

else

include scripts/targets.mk

endif
