/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Userspace interface of edu, a driver for the educational device of QEMU.
 *
 * The device has a little memory of its own, and copies between that and the memory of the
 * machine. A client makes two kinds of object: buffers in the memory of the machine, and slots in
 * the memory of the device. SUBMIT copies between objects of any kind. All copies of all clients
 * are done one after the other, in the order in which they were submitted. Each step of a copy
 * takes the device a tenth of a second.
 *
 * Every ioctl fails with ENODEV once the device is unplugged, with ENOENT for a handle that does
 * not exist, and with EINVAL if a reserved member (pad) is not zero. A signal ends the wait of an
 * ioctl: the ioctl fails with EINTR and changes nothing.
 *
 * If a SUBMIT fails later, the sync file of its out syncobj has the error: ENODEV if the device
 * was unplugged, ETIMEDOUT if the device did not answer. After the latter, SUBMIT fails with
 * ENODEV until the driver is bound again.
 */
#ifndef _EDU_UAPI_H
#define _EDU_UAPI_H

#ifdef __KERNEL__
#include <drm/drm.h>
#else
#include <drm.h>
#endif

#if defined(__cplusplus)
extern "C" {
#endif

#define DRM_EDU_BO_CREATE	0x00
#define DRM_EDU_BO_MMAP_OFFSET	0x01
#define DRM_EDU_BO_FILL		0x02
#define DRM_EDU_BO_LABEL	0x03
#define DRM_EDU_SUBMIT		0x04
#define DRM_EDU_WAIT		0x05

#define DRM_EDU_MAX_COPIES	64	/* of a SUBMIT */
#define DRM_EDU_MAX_BYTES	65536	/* of all copies of a SUBMIT */
#define DRM_EDU_MAX_JOBS	16	/* SUBMITs of an open file that are not done */
#define DRM_EDU_MAX_HANDLES	1024	/* of a WAIT */
#define DRM_EDU_NUM_SLOTS	3
#define DRM_EDU_SLOT_SIZE	512	/* the bytes of a slot that can be copied */

/* Kinds of object */
#define DRM_EDU_BUFFER		0
#define DRM_EDU_SLOT		1

/**
 * struct drm_edu_bo_create - create an object
 *
 * Creating a slot fails with ENOSPC if there is no free one. The driver clears a slot before
 * another client gets it.
 */
struct drm_edu_bo_create {
	/** @size: in: bytes of a buffer, or 0 for a slot; out: bytes that can be copied */
	__u64 size;
	/** @kind: in: DRM_EDU_BUFFER or DRM_EDU_SLOT */
	__u32 kind;
	/** @handle: out */
	__u32 handle;
};

/**
 * struct drm_edu_bo_mmap_offset - where to mmap() a buffer; EPERM for a slot
 */
struct drm_edu_bo_mmap_offset {
	/** @handle: in */
	__u32 handle;
	/** @pad: 0 */
	__u32 pad;
	/** @offset: out: for mmap() on the device's file */
	__u64 offset;
};

/**
 * struct drm_edu_bo_fill - have the CPU fill a buffer; EINVAL for a slot
 *
 * Does not wait for copies.
 */
struct drm_edu_bo_fill {
	/** @handle: in */
	__u32 handle;
	/** @value: in: written to each four bytes */
	__u32 value;
};

/**
 * struct drm_edu_bo_label - give an object a name for people
 */
struct drm_edu_bo_label {
	/** @handle: in */
	__u32 handle;
	/** @pad: 0 */
	__u32 pad;
	/** @name: in: pointer to a string */
	__u64 name;
};

/**
 * struct drm_edu_copy - a copy between two objects, which may be the same one
 */
struct drm_edu_copy {
	/** @src: in: handle */
	__u32 src;
	/** @dst: in: handle */
	__u32 dst;
	/** @src_offset: in: bytes */
	__u64 src_offset;
	/** @dst_offset: in: bytes */
	__u64 dst_offset;
	/** @len: in: bytes, at least 1 */
	__u64 len;
};

/**
 * struct drm_edu_submit - submit copies
 *
 * Fails with E2BIG if a limit is exceeded, and with EBUSY if the client has as many SUBMITs that
 * are not done as it may have. The device sees what the CPU wrote to the sources before this call.
 */
struct drm_edu_submit {
	/** @copies: in: pointer to struct drm_edu_copy */
	__u64 copies;
	/** @count: in: at least 1 */
	__u32 count;
	/** @out_sync: in: syncobj that gets the fence, or 0 */
	__u32 out_sync;
};

/**
 * struct drm_edu_wait - wait until no copy reads or writes any of some objects
 */
struct drm_edu_wait {
	/** @handles: in: pointer to __u32 */
	__u64 handles;
	/** @count: in */
	__u32 count;
	/** @timeout_ms: in: ETIME after that */
	__u32 timeout_ms;
};

#define DRM_IOCTL_EDU_BO_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_EDU_BO_CREATE, struct drm_edu_bo_create)
#define DRM_IOCTL_EDU_BO_MMAP_OFFSET \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_EDU_BO_MMAP_OFFSET, struct drm_edu_bo_mmap_offset)
#define DRM_IOCTL_EDU_BO_FILL \
	DRM_IOW(DRM_COMMAND_BASE + DRM_EDU_BO_FILL, struct drm_edu_bo_fill)
#define DRM_IOCTL_EDU_BO_LABEL \
	DRM_IOW(DRM_COMMAND_BASE + DRM_EDU_BO_LABEL, struct drm_edu_bo_label)
#define DRM_IOCTL_EDU_SUBMIT \
	DRM_IOW(DRM_COMMAND_BASE + DRM_EDU_SUBMIT, struct drm_edu_submit)
#define DRM_IOCTL_EDU_WAIT \
	DRM_IOW(DRM_COMMAND_BASE + DRM_EDU_WAIT, struct drm_edu_wait)

#if defined(__cplusplus)
}
#endif

#endif /* _EDU_UAPI_H */
