/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Userspace interface of sgpu, a software GPU.
 *
 * A client creates buffers and address spaces (VMs), binds ranges of buffers
 * at GPU addresses, and has commands executed that read and write GPU
 * addresses. The jobs of one VM, binds and commands alike, run in the order
 * in which they were submitted. Jobs of different VMs are ordered by syncobjs
 * only.
 *
 * Every ioctl fails with ENODEV once the device is unplugged, and with EINVAL
 * if a reserved member (pad) is not zero or an unknown flag is set. A signal ends the wait of an
 * ioctl for a lock: the ioctl fails with EINTR and changes nothing.
 *
 * The driver charges the memory that it allocates for a client to the client's memory cgroup,
 * and limits this memory: an ioctl fails with EBUSY if the client has as many VMs, kernel
 * mappings or jobs as the limits below allow. Some memory that the DRM core and its scheduler
 * allocate for a VM or a job is not charged: run queues, scheduler fences, the table of a job's
 * dependencies. The same limits apply to this memory, except for the fences of finished jobs:
 * each syncobj keeps the fence of the last job that signalled it, and each buffer keeps one
 * fence for each VM that has used it. The kernel neither charges syncobjs nor limits their
 * number.
 *
 * No ioctl waits for the end of a job of any client. There is one exception: VM_DESTROY and the
 * close of the file wait for a running job of VM_BIND, which stops after its current operation.
 *
 * If a job fails, the sync file of its out syncobj has the error: EFAULT for a fault (see
 * VM_FAULT), ESRCH if the VM was destroyed, ENODEV if the device was unplugged, ETIME if the
 * job took too long, EIO if the page table cannot be written, ENOTRECOVERABLE if the VM is
 * broken (see VM_BIND).
 */
#ifndef _SGPU_UAPI_H
#define _SGPU_UAPI_H

#ifdef __KERNEL__
#include <drm/drm.h>
#else
#include <drm.h>
#endif

#if defined(__cplusplus)
extern "C" {
#endif

#define DRM_SGPU_INFO		0x00
#define DRM_SGPU_BO_CREATE	0x01
#define DRM_SGPU_BO_MMAP_OFFSET	0x02
#define DRM_SGPU_BO_VMAP	0x03
#define DRM_SGPU_BO_VUNMAP	0x04
#define DRM_SGPU_VM_CREATE	0x05
#define DRM_SGPU_VM_DESTROY	0x06
#define DRM_SGPU_VM_BIND	0x07
#define DRM_SGPU_EXEC		0x08
#define DRM_SGPU_VM_FAULT	0x09
#define DRM_SGPU_BO_MADVISE	0x0a

/* Limits that INFO does not return */
#define DRM_SGPU_MAX_OPS	1024	/* of a VM_BIND */
#define DRM_SGPU_MAX_CMDS	4096	/* of an EXEC */
#define DRM_SGPU_MAX_SYNCS	64	/* of either */
#define DRM_SGPU_MAX_REACH	(16ULL << 30)	/* of a VM_BIND, in bytes */
#define DRM_SGPU_MAX_VAS	65536	/* mappings of a VM, see VM_BIND */
#define DRM_SGPU_MAX_EVICT	16384	/* mappings of a buffer in all VMs, see BO_MADVISE */

/* Limits of an open file. An object that was given up counts until it is freed. */
#define DRM_SGPU_MAX_VMS	64
#define DRM_SGPU_MAX_JOBS	256	/* that are not done, in all VMs */
#define DRM_SGPU_MAX_VMAPS	1024

/**
 * struct drm_sgpu_info - what the device can do
 */
struct drm_sgpu_info {
	/** @va_start: out: first GPU address that can be bound */
	__u64 va_start;
	/** @va_end: out: the address after the last that can be bound */
	__u64 va_end;
	/** @max_cmd_size: out: most bytes one command may work on */
	__u64 max_cmd_size;
	/** @page_size: out: addresses, offsets and sizes are multiples of this */
	__u32 page_size;
	/** @pad: 0 */
	__u32 pad;
};

/* Map the buffer write-combined */
#define DRM_SGPU_BO_WC		0x1

/**
 * struct drm_sgpu_bo_create - create a buffer
 */
struct drm_sgpu_bo_create {
	/**
	 * @size: in: bytes, at least 1, and no more than a VM has addresses; out:
	 * rounded up to pages
	 */
	__u64 size;
	/** @flags: in: DRM_SGPU_BO_WC or 0 */
	__u32 flags;
	/** @handle: out */
	__u32 handle;
};

/**
 * struct drm_sgpu_bo_mmap_offset - where to mmap() a buffer
 */
struct drm_sgpu_bo_mmap_offset {
	/** @handle: in */
	__u32 handle;
	/** @pad: 0 */
	__u32 pad;
	/** @offset: out: for mmap() on the device's file */
	__u64 offset;
};

/**
 * struct drm_sgpu_bo_vmap - have the kernel map a buffer for itself
 *
 * The mapping lasts until BO_VUNMAP or the close of the file, also if the
 * handle is closed or the device unplugged. It can outlast the close by a moment.
 */
struct drm_sgpu_bo_vmap {
	/** @handle: in */
	__u32 handle;
	/** @id: out: for BO_VUNMAP, never 0 */
	__u32 id;
	/** @first: out: the buffer's first eight bytes, read through the mapping */
	__u64 first;
};

/**
 * struct drm_sgpu_bo_vunmap - end a mapping of BO_VMAP
 */
struct drm_sgpu_bo_vunmap {
	/** @id: in */
	__u32 id;
	/** @pad: 0 */
	__u32 pad;
};

/* Advice for the contents of a buffer, for BO_MADVISE */
#define DRM_SGPU_MADV_WILLNEED	0	/* they are needed, as those of a new one */
#define DRM_SGPU_MADV_DONTNEED	1	/* they may be thrown away; not of a shared buffer */
#define DRM_SGPU_MADV_PAGEOUT	2	/* they may be swapped out now; not of a shared buffer */

/**
 * struct drm_sgpu_bo_madvise - say whether the contents of a buffer are needed
 *
 * When memory is short and there is swap, the kernel evicts buffers that were not used for a
 * long time, bound or not. The GPU has no access to them until the next EXEC in one of their
 * address spaces, and mappings of mmap() get them back at the next access. PAGEOUT does
 * so at once, or fails with EBUSY if the buffer is in use: by an EXEC's job that is
 * not done, by BO_VMAP, or by a device that has mapped a dma-buf of it. It also fails
 * with EBUSY while the page table of a VM in which the buffer is bound is being changed. The
 * VM_BIND ioctl brings the contents of its buffers back, but they can be evicted again before
 * its job runs. In that case, the next EXEC brings them back. A buffer with more than
 * DRM_SGPU_MAX_EVICT mappings, in all VMs of all clients, is neither evicted nor purged, and
 * PAGEOUT fails with EBUSY. A mapping counts as one more for each 2 MiB of it.
 *
 * DONTNEED and PAGEOUT fail with EBUSY for a buffer that another client may have, that is, a
 * buffer with a second handle or a GEM name, or one that was exported. Otherwise a client could
 * make others lose the contents, or wait for them again and again.
 *
 * Before the kernel evicts other buffers, it purges those whose contents are not needed, bound
 * or not. It keeps a buffer while BO_VMAP has mapped it, and while it has a dma-buf. A mapping of
 * mmap() does not keep the contents: after a purge, an access raises SIGBUS.
 *
 * A client that wants to use the buffer again says WILLNEED first, and looks
 * at @retained. A purged buffer stays purged. It can be closed; BO_MMAP_OFFSET,
 * BO_VMAP, a VM_BIND that maps it and an export for another device fail with
 * ENODATA, and so does an EXEC in an address space in which it is still bound.
 *
 * Fails with EOPNOTSUPP for a buffer that was imported from another device.
 */
struct drm_sgpu_bo_madvise {
	/** @handle: in */
	__u32 handle;
	/** @madv: in: DRM_SGPU_MADV_* */
	__u32 madv;
	/** @retained: out: 1 if the buffer has its contents, 0 if it was purged */
	__u32 retained;
	/** @pad: 0 */
	__u32 pad;
};

/**
 * struct drm_sgpu_vm_create - create an address space
 */
struct drm_sgpu_vm_create {
	/** @id: out: never 0 */
	__u32 id;
	/** @pad: 0 */
	__u32 pad;
};

/**
 * struct drm_sgpu_vm_destroy - destroy an address space
 *
 * Its jobs end: waiting jobs are cancelled, and the running job stops where it is. The close of
 * the file destroys all address spaces.
 */
struct drm_sgpu_vm_destroy {
	/** @id: in */
	__u32 id;
	/** @pad: 0 */
	__u32 pad;
};

/* Signal the syncobj when the job is done, rather than wait before the job */
#define DRM_SGPU_SYNC_SIGNAL	0x1
/* The syncobj is a timeline, @point the point on it */
#define DRM_SGPU_SYNC_TIMELINE	0x2

/**
 * struct drm_sgpu_sync - a syncobj that a job waits for, or signals
 */
struct drm_sgpu_sync {
	/** @handle: in */
	__u32 handle;
	/** @flags: in: DRM_SGPU_SYNC_* */
	__u32 flags;
	/** @point: in: not 0 for a timeline, else 0 */
	__u64 point;
};

/* Operations of VM_BIND */
#define DRM_SGPU_BIND_MAP	0	/* a buffer */
#define DRM_SGPU_BIND_UNMAP	1	/* whatever is in the range */
#define DRM_SGPU_BIND_SPARSE	2	/* reads as 0, drops what is written */

/* DRM_SGPU_BIND_MAP: a write by the GPU is a fault */
#define DRM_SGPU_BIND_READONLY	0x1

/**
 * struct drm_sgpu_bind_op - change a range of an address space
 *
 * Replaces all mappings in the range. @offset, @addr, @size and the end of the range are
 * multiples of the page size.
 */
struct drm_sgpu_bind_op {
	/** @op: in: DRM_SGPU_BIND_* */
	__u32 op;
	/** @flags: in: DRM_SGPU_BIND_READONLY or 0 */
	__u32 flags;
	/** @handle: in: the buffer, 0 unless it is a map */
	__u32 handle;
	/** @pad: 0 */
	__u32 pad;
	/** @offset: in: into the buffer, in bytes, 0 unless it is a map */
	__u64 offset;
	/** @addr: in: GPU address */
	__u64 addr;
	/** @size: in: bytes, not 0 */
	__u64 size;
};

/**
 * struct drm_sgpu_vm_bind - change an address space, asynchronously
 *
 * Before the ioctl returns, it checks the arguments and does everything that can fail, apart
 * from the work of the hardware. If it fails, it changes nothing. It fails with E2BIG if its
 * operations cover more bytes than the VM has addresses, or if its maps reach over
 * more than DRM_SGPU_MAX_REACH bytes of buffers, each from the start of its buffer.
 *
 * It fails with ENOSPC if the VM could have more than DRM_SGPU_MAX_VAS mappings. A mapping counts
 * as one, and becomes two if an operation replaces or unmaps a part inside of it. Until the job is
 * done, a map or sparse operation counts as three, and an unmap as two. The last eighth is for
 * operations that unmap. A client that gets ENOSPC waits for its jobs, or unmaps something. One
 * operation that unmaps all addresses of the VM is never refused for this.
 *
 * The job performs one operation after another. If an operation fails, or the job has to end,
 * the effects of earlier operations stay, the failed operation changes nothing, and later
 * operations are not performed. The VM can be used as before.
 *
 * If the hardware also fails to undo the failed operation, then the VM is broken. Its jobs,
 * VM_BIND and EXEC fail with ENOTRECOVERABLE, and it can only be destroyed.
 */
struct drm_sgpu_vm_bind {
	/** @vm_id: in */
	__u32 vm_id;
	/** @pad: 0 */
	__u32 pad;
	/** @ops: in: pointer to struct drm_sgpu_bind_op */
	__u64 ops;
	/** @op_count: in: 1 to DRM_SGPU_MAX_OPS */
	__u32 op_count;
	/** @sync_count: in: at most DRM_SGPU_MAX_SYNCS */
	__u32 sync_count;
	/** @syncs: in: pointer to struct drm_sgpu_sync */
	__u64 syncs;
	/** @job: out: number of the job in its VM, from 1 */
	__u64 job;
};

/* Commands of EXEC */
#define DRM_SGPU_CMD_FILL	0	/* @size bytes at @dst with @value */
#define DRM_SGPU_CMD_COPY	1	/* @size bytes from @src to @dst */
#define DRM_SGPU_CMD_CHECKSUM	2	/* of @size bytes at @src to @dst, 4 bytes */

/**
 * struct drm_sgpu_cmd - something for the GPU to do
 *
 * Addresses and sizes are in bytes and of any alignment. The checksum is
 * CRC-32 (IEEE 802.3, like crc32() of zlib). @value is its initial value: 0, or the checksum of
 * the bytes before. If the ranges of a copy overlap, the result is unspecified.
 */
struct drm_sgpu_cmd {
	/** @op: in: DRM_SGPU_CMD_* */
	__u32 op;
	/** @value: in: the byte to fill with, or the checksum to start with */
	__u32 value;
	/** @src: in: GPU address, 0 for a fill */
	__u64 src;
	/** @dst: in: GPU address */
	__u64 dst;
	/** @size: in: bytes, not 0 */
	__u64 size;
};

/**
 * struct drm_sgpu_exec - execute commands, asynchronously, one after another
 *
 * A job that accesses an unmapped address ends at this access. Other jobs are not affected.
 */
struct drm_sgpu_exec {
	/** @vm_id: in */
	__u32 vm_id;
	/** @pad: 0 */
	__u32 pad;
	/** @cmds: in: pointer to struct drm_sgpu_cmd */
	__u64 cmds;
	/** @cmd_count: in: 1 to DRM_SGPU_MAX_CMDS */
	__u32 cmd_count;
	/** @sync_count: in: at most DRM_SGPU_MAX_SYNCS */
	__u32 sync_count;
	/** @syncs: in: pointer to struct drm_sgpu_sync */
	__u64 syncs;
	/** @job: out: number of the job in its VM, from 1 */
	__u64 job;
};

/* Kinds of faults */
#define DRM_SGPU_FAULT_NONE	0
#define DRM_SGPU_FAULT_READ	1	/* of an address that is not mapped */
#define DRM_SGPU_FAULT_WRITE	2	/* to one that is not, or read-only */

/**
 * struct drm_sgpu_vm_fault - the last fault of an address space
 */
struct drm_sgpu_vm_fault {
	/** @vm_id: in */
	__u32 vm_id;
	/** @kind: out: DRM_SGPU_FAULT_* */
	__u32 kind;
	/** @addr: out: GPU address of the byte */
	__u64 addr;
	/** @job: out: number of the job */
	__u64 job;
	/** @cmd: out: index of the command in the job */
	__u32 cmd;
	/** @count: out: number of faults since the VM was created */
	__u32 count;
};

#define DRM_IOCTL_SGPU_INFO \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SGPU_INFO, struct drm_sgpu_info)
#define DRM_IOCTL_SGPU_BO_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SGPU_BO_CREATE, struct drm_sgpu_bo_create)
#define DRM_IOCTL_SGPU_BO_MMAP_OFFSET \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SGPU_BO_MMAP_OFFSET, struct drm_sgpu_bo_mmap_offset)
#define DRM_IOCTL_SGPU_BO_VMAP \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SGPU_BO_VMAP, struct drm_sgpu_bo_vmap)
#define DRM_IOCTL_SGPU_BO_VUNMAP \
	DRM_IOW(DRM_COMMAND_BASE + DRM_SGPU_BO_VUNMAP, struct drm_sgpu_bo_vunmap)
#define DRM_IOCTL_SGPU_VM_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SGPU_VM_CREATE, struct drm_sgpu_vm_create)
#define DRM_IOCTL_SGPU_VM_DESTROY \
	DRM_IOW(DRM_COMMAND_BASE + DRM_SGPU_VM_DESTROY, struct drm_sgpu_vm_destroy)
#define DRM_IOCTL_SGPU_VM_BIND \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SGPU_VM_BIND, struct drm_sgpu_vm_bind)
#define DRM_IOCTL_SGPU_EXEC \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SGPU_EXEC, struct drm_sgpu_exec)
#define DRM_IOCTL_SGPU_VM_FAULT \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SGPU_VM_FAULT, struct drm_sgpu_vm_fault)
#define DRM_IOCTL_SGPU_BO_MADVISE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SGPU_BO_MADVISE, struct drm_sgpu_bo_madvise)

#if defined(__cplusplus)
}
#endif

#endif /* _SGPU_UAPI_H */
