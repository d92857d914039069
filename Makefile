# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# kbuild reads the first part; people, who call make in this directory, get
# the second.

ifneq ($(KERNELRELEASE),)

drm_safe-y := drm_dev_ctx.o drm_shmem_safe.o drm_shmem_vmap.o drm_shmem_sgt.o
drm_safe-$(CONFIG_DRM_SAFE_GPUVM) += drm_gpuvm_imm.o
obj-$(CONFIG_DRM_SAFE) += drm_safe.o

obj-$(CONFIG_DRM_SAFE_KUNIT_TEST) += tests/
obj-$(CONFIG_DRM_SAFE_SGPU) += samples/sgpu/

else

include scripts/targets.mk

endif
