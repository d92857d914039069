# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The names of the library and of a driver for the rules in this directory.

The rules take the library's names from these tables only. The functions that take a reservation
lock, that may sleep or that open a scope are read from the library's sources. A driver's names come
from the macros that declare them, in the driver or in a header that it includes. The environment
variable DRIVER names the driver's directory.
"""
import functools
import os
import pathlib
import re

from drm_safe_source import blanked, calls, functions, library

# Names of the library
NAMES = {
    "error_pointer": ["drm_shmem_create", "drm_shmem_lookup", "drm_shmem_lookup_user",
                      "drm_shmem_lookup_handles", "drm_shmem_lookup_members", "drm_shmem_objs_dup",
                      "drm_dev_ctx_alloc", "drm_dev_ctx_alloc_parent", "drm_dev_ctx_attach",
                      "drm_dev_ctx_id_lookup",
                      "drm_gpuvm_imm_obtain", "drm_gpuvm_imm_obtain_interruptible",
                      "drm_gpuvm_imm_obtain_locked", "drm_gpuvm_imm_obtain_gem",
                      "drm_gpuvm_imm_obtain_gem_interruptible",
                      "drm_gpuvm_imm_obtain_gem_locked"],
    "get": ["drm_shmem_create drm_shmem_put", "drm_shmem_lookup drm_shmem_put",
            "drm_shmem_lookup_user drm_shmem_objs_free",
            "drm_shmem_lookup_handles drm_shmem_objs_free",
            "drm_shmem_lookup_members drm_shmem_objs_free",
            "drm_shmem_objs_dup drm_shmem_objs_free",
            "drm_dev_ctx_id_lookup drm_dev_ctx_id_put",
            "drm_gpuvm_imm_obtain drm_gpuvm_imm_bo_put",
            "drm_gpuvm_imm_obtain_interruptible drm_gpuvm_imm_bo_put",
            "drm_gpuvm_imm_obtain_locked drm_gpuvm_imm_bo_put",
            "drm_gpuvm_imm_obtain_gem drm_gpuvm_imm_bo_put",
            "drm_gpuvm_imm_obtain_gem_interruptible drm_gpuvm_imm_bo_put",
            "drm_gpuvm_imm_obtain_gem_locked drm_gpuvm_imm_bo_put",
            "drm_gpuvm_imm_get drm_gpuvm_imm_put"],
    "proof": ["drm_dev_ctx_bound", "drm_dev_ctx_live", "drm_dev_ctx_unreg", "drm_dev_ctx_reg", "drm_dev_ctx_ioctl",
              "drm_gpuvm_imm_mapped", "drm_gpuvm_imm_unmapped", "drm_gpuvm_imm_remapped", "drm_shmem_sgt"],
    "section": [],
    "lent": ["drm_dev_ctx_bound", "drm_dev_ctx_live", "drm_shmem_sgt"],
    "owned": ["drm_gpuvm_imm_update", "drm_gpuvm_imm_core", "drm_shmem_sgt_owned"],
    "find": ["drm_gpuvm_imm_find", "drm_gpuvm_imm_find_first"],
    "run": ["drm_gpuvm_imm_run", "drm_gpuvm_imm_core_run", "drm_gpuvm_imm_core_run_ctx"],
    "prepare": ["drm_gpuvm_imm_prepare_map", "drm_gpuvm_imm_prepare_map_interruptible",
                "drm_gpuvm_imm_prepare_map_locked", "drm_gpuvm_imm_prepare_map_gem",
                "drm_gpuvm_imm_prepare_map_gem_interruptible",
                "drm_gpuvm_imm_prepare_map_gem_locked",
                "drm_gpuvm_imm_prepare_map_bo", "drm_gpuvm_imm_prepare_map_hole",
                "drm_gpuvm_imm_prepare_map_sparse",
                "drm_gpuvm_imm_prepare_unmap", "drm_gpuvm_imm_prepare_unmap_obj",
                "drm_gpuvm_imm_prepare_unmap_gem",
                "drm_gpuvm_imm_prepare_split"],
    "update_data": ["drm_gpuvm_imm_update_va", "drm_gpuvm_imm_update_data"],
    "shared": ["drm_gpuvm_imm_shared"],
    "file": ["drm_file"],
}

# The type of a driver's per-file data, from a variable or function that reads driver_priv
FILE_TYPE = re.compile(r"\bstruct (\w+) \*\s*\w+(?: =|\([^()]*\)\s*\{\s*return) [^;]*->driver_priv;")

# A driver's proof that its device is registered
PROOF_TYPE = re.compile(r"^[ \t]*struct (\w+) \{\s*struct drm_dev_ctx_reg base;", re.M)

# The type of a driver's unique object, which drm_shmem_publish() uses up
UNIQUE_TYPE = re.compile(r"^DRM_SHMEM_OBJ_(?:TYPE|KIND)\((?:[^,;]*,){3}\s*struct (\w+)[,)]", re.M)

# A driver's types of mapping handles
VMAP_TYPES = {
    "lent": re.compile(r"^[ \t]*struct (\w+) \{\s*DRM_VMAP(?:_IOMEM|_EITHER|_CONST|_VIEW)?\(", re.M),
    "owned": re.compile(r"^[ \t]*struct (\w+) \{\s*DRM_VMAP_OWNED\(", re.M),
}

# Macros that declare a handle in a structure
HANDLE_MACROS = ["DRM_GPUVM_IMM_CORE", "DRM_GPUVM_IMM_UPDATE"]

# Functions that end the wait of other tasks: completions, wait queues, bits and variables, tasks,
# semaphores, fences, sync objects, events of a display, eventfds
COMPLETES = re.compile(
    r"(?:complete(?:_all|_on_current_cpu)?|kthread_complete_and_exit|up"
    r"|(?:_*|rcuwait_|store_release_|atomic_dec_and_|clear_and_|test_and_clear_|try_to_|signal_"
    r"|ptrace_signal_|inode_)s?wake_up(?:_\w+)?"
    r"|wake_q_add(?:_safe)?|raw_spin_unlock(?:_irq|_irqrestore)?_wake|irq_wake_thread|vhost_task_wake"
    r"|kthread_unpark|set_notify_signal"
    r"|dma_fence_(?:check_and_)?signal(?:_timestamp)?(?:_locked)?"
    r"|drm_syncobj_(?:replace_fence|add_point)|drm_suballoc_free"
    r"|drm_send_event(?:_locked|_timestamp_locked)?|drm_writeback_signal_completion"
    r"|drm_handle_vblank|drm_crtc_(?:(?:send|arm)_vblank_event|handle_vblank|vblank_atomic_flush)"
    r"|drm_atomic_helper_(?:commit_hw_done|fake_vblank)|eventfd_signal(?:_mask)?|kill_fasync)")

# Functions with such a name that do not end the wait of another task: callbacks of wait queues,
# wake-ups of power management, and functions that only test a state
COMPLETES_NOT = re.compile(
    r"(?:default|autoremove|woken|woken_bit)_wake_function|woken_wake_bit_function|wake_bit_function"
    r"|dma_fence_(?:is_signaled|test_signaled|enable_(?:sw_)?signaling|begin_|end_)\w*"
    r"|eventfd_signal_allowed|drm_sched_job_is_signaled")

# The argument types of the library's handlers. Such a handler only gets its own data from them.
OWN_ITEMS = {tag for tag, body in re.findall(r"^struct (\w+) \{\n(.*?)^\}", library().code, re.M | re.S)
             if re.match(r"\s*struct drm_dev_ctx_async __async;", body)}

# The argument types of the kernel's handlers. A driver embeds them in its structures.
ITEMS = set("""work_struct delayed_work rcu_work execute_work kthread_work kthread_delayed_work drm_vblank_work
    drm_flip_work timer_list hrtimer alarm tasklet_struct irq_work irq_affinity_notify dma_fence_cb rcu_head
    callback_head wait_queue_entry wait_bit_queue_entry notifier_block mmu_notifier mmu_interval_notifier
    napi_struct mbox_client""".split())

# A handler is recognised by one of its arguments,
HANDLER_ARGUMENT = re.compile(
    rf"struct (?:{'|'.join(sorted(OWN_ITEMS | ITEMS))}|urb|virtqueue|rpmsg_device) ?\*|async_cookie_t\b")
# by its type,
HANDLER_TYPE = re.compile(r"\birqreturn_t\b|\benum hrtimer_restart\b")
# or by the function that it is passed to.
HANDLER_GIVEN = re.compile(
    r"(?:\w*request_(?:threaded_|any_context_|percpu_)?(?:irq|nmi)|kthread_(?:run|create)\w*"
    r"|tasklet_init|async_schedule\w*|smp_call_function\w*|on_each_cpu\w*)")
HANDLER_SET = re.compile(r"\b(?:callback|callback_result|complete|timedout_job)\s*=\s*&?(\w+)")

# Functions that may wait for a page fault of userspace, for as long as userspace likes
COPIES_USER = re.compile(
    r"_*copy_(?:struct_)?(?:from|to)_user(?:_\w+)?|copy_safe_to_user\w*|_*(?:get|put|clear)_user"
    r"|v?memdup_(?:array_)?user\w*|vmemdup_array_user|strn(?:cpy|len|dup)_(?:from_)?user\w*|fault_in_\w+"
    r"|(?:get|pin)_user_pages\w*|drm_vmap_(?:from|to)_user"
    r"|drm_shmem_lookup_user|drm_shmem_set_label_user")

# Functions that wait without a limit. The condition of a wait_event() may end the wait at an
# unplug.
WAITS = re.compile(
    r"(?:__)?(?:s?wait_event|wait_var_event|wait_for_completion|rcuwait_wait_event)(?!\w*timeout)\w*"
    r"|wait_on_bit(?:_io|_lock|_lock_io)?|out_of_line_wait_on_bit|dma_fence_wait")

# The callback for a job that hangs
TIMEOUT_SET = re.compile(r"\.timedout_job\s*=\s*&?(\w+)")

# Members of a structure that give access to the hardware. A resource of drm_dev_ctx_res.h is not
# one of them, because each access needs a proof.
HARDWARE = re.compile(
    r"\b__iomem\b|^\s+struct (?:regmap|regmap_field|clk|clk_bulk_data|clk_hw|regulator|regulator_bulk_data|reset_control"
    r"|gpio_descs?|virtqueue|dma_chan|mbox_chan|i2c_client|spi_device|usb_device|usb_interface|mipi_dsi_device"
    r"|pwm_device|io_mapping) (?:const )?\*", re.M)

# The structures with the driver's functions for a bus
BUS_OPS = re.compile(r"\bstruct \w+_(?:driver|device_ops) (\w+) = \{(.*?)\n\}", re.S)

# Functions that end a registration
UNREGISTERS = {"drm_dev_ctx_unregister", "drm_dev_ctx_remove", "drm_dev_ctx_shutdown"}

# Calls that let runtime PM suspend a device
SUSPENDS = re.compile(r"\bpm_runtime_(?:put|allow|idle|set_autosuspend|use_autosuspend)\w*\(")

# The type of a driver's registration data
DATA_TYPE = re.compile(r"^[ \t]*struct (\w+) \{[^{}]*\bstruct drm_dev_ctx_data \w+;", re.M)

# The callbacks of runtime PM
POWER_SET = re.compile(
    r"\.runtime_(?:suspend|resume|idle)\s*=\s*(&?\w+)"
    r"|\b(?:SET_)?RUNTIME_PM_OPS\(([^()]*)\)"
    r"|\b(?:\w*RUNTIME_DEV_PM_OPS|UNIVERSAL_DEV_PM_OPS)\(\s*\w+,([^()]*)\)")

# The structures with callbacks of a display, and the callbacks that a commit or its end calls
DISPLAY_OPS = re.compile(
    r"\bstruct (?:drm_(?:crtc|encoder|bridge|plane|connector|mode_config)(?:_helper)?_funcs"
    r"|drm_simple_display_pipe_funcs|drm_dev_ctx_ops)\b[^;={]*=\s*\{(.*?)\n\s*\}", re.S)
DISPLAY_SET = re.compile(
    r"\.(?:atomic_(?:pre_|post_)?(?:enable|disable)|enable|disable|prepare|commit|update|cleanup|dpms"
    r"|atomic_(?:begin|flush|update|async_update|commit|commit_tail|mode_set)|mode_set(?:_nofb)?"
    r"|(?:prepare|cleanup)_fb|(?:begin|end)_fb_access|(?:enable|disable)_vblank|kms_shutdown)"
    r"\s*=\s*&?(\w+)")

# A file that includes one of these headers uses the part of another one.
PARTS = {
    "drm_dev_ctx.h": {"drm_dev_ctx_async.h", "drm_dev_ctx_ids.h", "drm_dev_ctx_res.h"},
    "drm_shmem_safe.h": {"drm_shmem_kind.h", "drm_shmem_obj.h", "drm_shmem_objs.h",
                         "drm_shmem_sgt.h", "drm_shmem_reclaim.h", "drm_vmap_view.h",
                         "drm_shmem_ends.h"},
    "drm_gpuvm_imm.h": set(),
}

# The kernel's functions that the library wraps, by the library's header and by the kernel's header.
# scripts/rule-names.py checks that each function of the kernel's header is here or in RAW_ALLOWED.
# A name with @ exists only in the kernel after the @.
RAW = {
    "drm_dev_ctx.h": {
        "drm/drm_drv.h": """drm_dev_register drm_dev_unregister drm_dev_unplug drm_put_dev
            drm_dev_enter drm_dev_exit drm_dev_alloc __drm_dev_alloc devm_drm_dev_alloc
            __devm_drm_dev_alloc""",
    },
    "drm_shmem_safe.h": {
        "drm/drm_gem_shmem_helper.h": """drm_gem_shmem_init drm_gem_shmem_create
            drm_gem_shmem_create_with_handle@7.3 drm_gem_shmem_dumb_create drm_gem_shmem_free
            drm_gem_shmem_release drm_gem_shmem_mmap drm_gem_shmem_pin
            drm_gem_shmem_pin_locked drm_gem_shmem_unpin drm_gem_shmem_unpin_locked
            drm_gem_shmem_vmap drm_gem_shmem_vmap_locked drm_gem_shmem_vunmap
            drm_gem_shmem_vunmap_locked drm_gem_shmem_madvise drm_gem_shmem_madvise_locked
            drm_gem_shmem_purge drm_gem_shmem_purge_locked drm_gem_shmem_is_purgeable
            drm_gem_shmem_get_sg_table drm_gem_shmem_get_pages_sgt
            __drm_gem_shmem_free_sgt_locked drm_gem_shmem_put_pages_locked
            drm_gem_shmem_prime_import_sg_table drm_gem_shmem_prime_import_no_map
            drm_gem_shmem_object_free drm_gem_shmem_object_get_sg_table
            drm_gem_shmem_object_mmap drm_gem_shmem_object_pin drm_gem_shmem_object_unpin
            drm_gem_shmem_object_vmap drm_gem_shmem_object_vunmap to_drm_gem_shmem_obj""",
        "drm/drm_gem.h": """drm_gem_vmap drm_gem_vunmap drm_gem_handle_create
            drm_gem_create_mmap_offset drm_gem_free_mmap_offset drm_gem_object_init
            drm_gem_private_object_fini drm_gem_object_free drm_gem_object_lookup drm_gem_objects_lookup
            drm_gem_vm_open drm_gem_vm_close
            drm_gem_lru_init drm_gem_lru_remove drm_gem_lru_move_tail
            drm_gem_lru_move_tail_locked drm_gem_dumb_map_offset drm_gem_huge_mnt_create""",
        "drm/drm_prime.h": """drm_gem_prime_import drm_gem_prime_export drm_gem_prime_mmap
            drm_gem_dmabuf_export drm_gem_dmabuf_release drm_gem_map_attach
            drm_gem_map_detach drm_gem_map_dma_buf drm_gem_unmap_dma_buf""",
        "linux/dma-buf.h": """dma_buf_begin_cpu_access dma_buf_end_cpu_access
            dma_buf_vmap dma_buf_vmap_unlocked dma_buf_vunmap
            dma_buf_vunmap_unlocked dma_buf_dynamic_attach dma_buf_invalidate_mappings""",
    },
    "drm_gpuvm_imm.h": {
        "drm/drm_gpuvm.h": """drm_gpuvm_init drm_gpuvm_get drm_gpuvm_put drm_gpuvm_resv
            drm_gpuvm_resv_obj drm_gpuvm_resv_held drm_gpuvm_resv_assert_held
            drm_gpuvm_resv_protected drm_gpuvm_resv_add_fence drm_gpuvm_immediate_mode
            drm_gpuvm_range_valid drm_gpuvm_interval_empty drm_gpuvm_is_extobj
            drm_gpuvm_for_each_va drm_gpuvm_for_each_va_safe drm_gpuvm_for_each_va_range
            drm_gpuvm_for_each_va_range_safe drm_gpuvm_prepare_vm drm_gpuvm_prepare_objects
            drm_gpuvm_prepare_range drm_gpuvm_validate drm_gpuvm_exec_lock
            drm_gpuvm_exec_lock_array drm_gpuvm_exec_lock_range drm_gpuvm_exec_unlock
            drm_gpuvm_exec_validate drm_gpuvm_exec_resv_add_fence drm_gpuvm_sm_map
            drm_gpuvm_sm_unmap drm_gpuvm_sm_map_exec_lock drm_gpuvm_sm_unmap_exec_lock
            drm_gpuvm_sm_map_ops_create drm_gpuvm_sm_unmap_ops_create
            drm_gpuvm_prefetch_ops_create drm_gpuvm_madvise_ops_create
            drm_gpuvm_bo_unmap_ops_create drm_gpuvm_bo_create drm_gpuvm_bo_get drm_gpuvm_bo_put
            drm_gpuvm_bo_put_deferred drm_gpuvm_bo_deferred_cleanup drm_gpuvm_bo_find
            drm_gpuvm_bo_obtain_locked drm_gpuvm_bo_obtain_prealloc drm_gpuvm_bo_extobj_add
            drm_gpuvm_bo_evict drm_gpuvm_bo_gem_evict drm_gpuvm_bo_for_each_va
            drm_gpuvm_bo_for_each_va_safe drm_gpuva_insert drm_gpuva_remove drm_gpuva_link
            drm_gpuva_unlink drm_gpuva_unlink_defer drm_gpuva_find drm_gpuva_find_first
            drm_gpuva_find_next@7.2 drm_gpuva_find_prev@7.2
            drm_gpuva_map drm_gpuva_remap drm_gpuva_unmap drm_gpuva_init_from_op
            drm_gpuva_invalidate drm_gpuva_op_remap_to_unmap_range drm_gpuva_ops_free
            drm_gpuva_for_each_op drm_gpuva_for_each_op_safe drm_gpuva_for_each_op_reverse
            drm_gpuva_for_each_op_from_reverse drm_gpuva_first_op drm_gpuva_last_op
            drm_gpuva_next_op drm_gpuva_prev_op __drm_gpuva_next""",
        "drm/drm_gem.h": """drm_gem_gpuva_init drm_gem_gpuva_assert_lock_held
            drm_gem_for_each_gpuvm_bo drm_gem_for_each_gpuvm_bo_safe drm_gem_evict_locked""",
    },
}

# The descriptions of a driver's types of address space, with their steps
VM_TYPE = re.compile(r"^const struct \w+ (\w+) = \{(.*?)^\};", re.M | re.S)
VM_STEP = re.compile(r"\.base\.(?:map|unmap|remap|va_get|va_put|bo_init|bo_fini|validate|evict) ="
                     r" (\w+)")

# The steps of objects and address spaces that run in memory reclaim
EVICT_STEP = re.compile(r"\.base\.(?:evict|moved)\s*=\s*(\w+)")

# The step of objects that runs under a spinlock of a file
RSS_STEP = re.compile(r"\.base\.rss\s*=\s*(\w+)")

# Functions that a driver may call directly: references, locks, tests, and functions that the
# library does not wrap
RAW_ALLOWED = {
    "drm/drm_drv.h": """drm_dev_get drm_dev_put drm_dev_is_unplugged drm_dev_wedged_event
        drm_core_check_all_features drm_core_check_feature drm_drv_uses_atomic_modeset
        drm_firmware_drivers_only drmm_cgroup_register_region
        drm_debugfs_bridge_params drm_debugfs_dev_init drm_debugfs_init_root
        drm_debugfs_remove_root""",
    "drm/drm_gem_shmem_helper.h": "drm_gem_shmem_print_info drm_gem_shmem_object_print_info",
    "drm/drm_gpuvm.h": "drm_gpuvm_resv_object_alloc drm_gpuva_invalidated",
    # The last two are for objects that are not of shmem, see drm_gem_sgt.h.
    "drm/drm_gem.h": """drm_gem_object_get drm_gem_object_put drm_gem_lock drm_gem_unlock
        drm_gem_is_imported drm_gem_get_huge_mnt drm_gem_object_is_shared_for_memory_stats
        drm_gem_private_object_init drm_gem_object_release""",
    "drm/drm_prime.h": "drm_gem_is_prime_exported_dma_buf",
    "linux/dma-buf.h": """dma_buf_attach dma_buf_detach dma_buf_map_attachment
        dma_buf_unmap_attachment dma_buf_unmap_attachment_unlocked dma_buf_put
        dma_buf_attach_revocable dma_buf_export dma_buf_mmap""",
}

# The function that ends each kind of owned handle. Any other owned handle is a mapping.
ENDS = {"drm_shmem_sgt_owned": "drm_shmem_sgt_cleanup",
        "drm_gem_sgt_owned": "drm_gem_sgt_cleanup", "drm_gpuvm_imm_core": "drm_gpuvm_imm_fini",
        "drm_gpuvm_imm_update": "drm_gpuvm_imm_update_drop"}

# The __free() classes of the library that accept any variable: the member that the driver's
# structure must begin with, and a name for such a structure
CLASSES = {"drm_shmem": ("struct drm_shmem_obj", "object with a struct drm_shmem_obj"),
           "drm_shmem_objs": ("DRM_SHMEM_OBJS", "array of DRM_SHMEM_OBJS()"),
           "drm_dev_ctx_id": ("struct drm_dev_ctx_id_obj", "object with a struct drm_dev_ctx_id_obj")}

# Functions that allocate memory
ALLOCATES = re.compile(r"(?:(?:devm|drmm)_)?k[vmzc]*alloc\w*|kmem_cache_\w*alloc\w*|kvm?zalloc\w*|kmemdup\w*|vz?alloc\w*")

# Functions that free memory. A driver's function that passes its argument to one of them counts,
# too.
FREES = {"kfree", "kvfree", "kfree_sensitive", "vfree", "kfree_rcu", "kmem_cache_free", "put_device"}

# The definition of a structure: tag and body
STRUCT = re.compile(r"^struct (\w+) \{\n(.*?)^\}", re.M | re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+[<"](.*?)[>"]', re.M)


@functools.cache
def library_headers():
    """Return the names of the library's headers."""
    top = pathlib.Path(__file__).resolve().parents[2]
    return frozenset(path.name for path in top.glob("drm_*.h"))


@functools.cache
def read(path):
    """Return the text of a file."""
    return pathlib.Path(path).read_text(encoding="utf-8", errors="replace")


class Driver:
    """The sources in a directory, and the headers outside of it that they include."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory).resolve()
        self.files = sorted(p for p in self.dir.rglob("*.[ch]") if p.is_file())
        self.by_name = {p.name: p for p in self.files if p.suffix == ".h"}
        self.known = {}
        texts = [read(p) for p in self.everything()]
        self.text = "\n".join(texts)
        self.names = {kind: set(names) for kind, names in NAMES.items()}
        for kind, (own, given) in {"locks": library().locking(),
                                   "sleeps": library().sleeping()}.items():
            self.names[kind] = set(own)
            for macro, patterns in given.items():
                self.add(macro, {kind: patterns})
        self.names["file"] |= set(FILE_TYPE.findall(self.text))
        self.names["unique"] = set(UNIQUE_TYPE.findall(self.text))
        self.names["proof"] |= self.names["unique"]
        for kind in "proof", "section", "lent":
            self.names[kind] |= set(PROOF_TYPE.findall(self.text))
        for kind, pattern in VMAP_TYPES.items():
            self.names[kind] |= set(pattern.findall(self.text))

    def add(self, macro, kinds):
        """Add the names that a macro declares, at each use in the driver."""
        for name in re.findall(rf"^[ \t]*{macro}\(\s*(\w+)", self.text, re.M):
            for kind, patterns in kinds.items():
                self.names[kind] |= {pattern.replace("{}", name) for pattern in patterns}

    def find(self, name, beside):
        """Return the file for an #include, or None if it is not the driver's."""
        if os.path.basename(name) in library_headers():
            return None
        path = (beside.parent / name).resolve()
        return path if path.is_file() else self.by_name.get(os.path.basename(name))

    def included(self, path):
        """Return all files that a file includes, directly or not: (names, paths)."""
        path = pathlib.Path(path).resolve()
        if path not in self.known:
            names, paths, todo = set(), {path}, [path]
            while todo:
                beside = todo.pop()
                for name in INCLUDE.findall(read(beside)):
                    names.add(os.path.basename(name))
                    found = self.find(name, beside)
                    if found and found not in paths:
                        paths.add(found)
                        todo.append(found)
            self.known[path] = names, paths
        return self.known[path]

    def everything(self):
        """Return the driver's files, and all files that they include."""
        return sorted(set(self.files).union(*(self.included(p)[1] for p in self.files)))

    def uses(self, path, headers=None):
        """Return True if a file includes one of the library's headers, or one of @headers."""
        return bool(self.included(path)[0] & (headers or library_headers()))

    def uses_library(self):
        """Return True if any file includes one of the library's headers."""
        return any(self.uses(path) for path in self.files)

    @functools.cached_property
    def functions(self):
        """The driver's functions: name, return type, parameters, and the calls in each."""
        texts = [blanked(read(path)) for path in self.everything()]
        return [(name, kind, params, calls(text[start:end])) for text in texts
                for name, kind, params, start, end in functions(text)]

    def closure(self, known, calling):
        """Add all functions that call a known one. Without @calling, add all functions that a known
        one calls."""
        graph = {}
        for name, _, _, called in self.functions:
            graph.setdefault(name, set()).update(callee for callee, _ in called)
        known = set(known)
        while True:
            more = {name for name in graph if graph[name] & known} if calling else \
                {callee for name in known & graph.keys() for callee in graph[name] & graph.keys()}
            if more <= known:
                return known
            known |= more

    @functools.cached_property
    def handlers(self):
        """The driver's handlers, and the functions that they call. Handlers are work, timers,
        interrupts, threads and callbacks."""
        found = set(HANDLER_SET.findall(self.text))
        for name, kind, params, called in self.functions:
            if HANDLER_TYPE.search(kind) or any(HANDLER_ARGUMENT.search(p) for p in params):
                found.add(name)
            for callee, args in called:
                if HANDLER_GIVEN.fullmatch(callee):
                    found |= {arg.lstrip("&") for arg in args}
        return self.closure(found, False)

    @functools.cached_property
    def powering(self):
        """The driver's callbacks of runtime PM, and the functions that they call."""
        given = " ".join(" ".join(found) for found in POWER_SET.findall(self.text))
        return self.closure(set(re.findall(r"\w+", given)) - {"NULL"}, False)

    @functools.cached_property
    def timing_out(self):
        """The driver's callbacks for a job that hangs, and the functions that they call."""
        return self.closure(set(TIMEOUT_SET.findall(self.text)), False)

    @functools.cached_property
    def copying(self):
        """The driver's functions that access memory of userspace."""
        return self.closure({callee for _, _, _, called in self.functions for callee, _ in called
                             if COPIES_USER.fullmatch(callee)}, True)

    @functools.cached_property
    def waiting(self):
        """The driver's functions that wait without a limit."""
        return self.closure({name for name, _, _, called in self.functions
                             if any(waits(callee, args) for callee, args in called)}, True)

    @functools.cached_property
    def embedding(self):
        """The structures that their last reference frees, and the call that puts a reference."""
        ends = {"drm_shmem_obj": "drm_shmem_put()", "drm_dev_ctx": "drm_dev_put(), or with its token"}
        return {"drm_shmem_obj": ends["drm_shmem_obj"]} | {
            tag: ends[member] for tag, body in self.structs()
            for member in re.findall(r"^\s+struct (\w+) \w+;", blanked(body), re.M) if member in ends}

    @functools.cached_property
    def powers(self):
        """True if the driver lets runtime PM suspend its device."""
        return bool(self.powering or SUSPENDS.search(self.text))

    @functools.cached_property
    def registers(self):
        """True if the driver registers a device of the library's."""
        return "drm_dev_ctx_register" in (callee for _, _, _, called in self.functions
                                          for callee, _ in called)

    @functools.cached_property
    def ending(self):
        """The driver's functions that end a registration, directly or not."""
        return self.closure(UNREGISTERS, True)

    @functools.cached_property
    def data(self):
        """The driver's types of registration data."""
        return set(DATA_TYPE.findall(self.text)) | {
            tag for tag, members in self.members.items() if "drm_dev_ctx_data" in members.values()}

    @functools.cached_property
    def members(self):
        """The structures that each of the driver's structures embeds, by the name of the member."""
        found = {}
        for tag, body in self.structs():
            for inner, names in re.findall(r"^\s+struct (\w+) (\w[^;{}()*]*);", blanked(body), re.M):
                for name in re.findall(r"(?:^|,)\s*(\w+)", names):
                    found.setdefault(tag, {})[name] = inner
        return found

    def embeds(self, tag, is_one, seen=()):
        """Return True if @is_one accepts a structure, or one that is embedded in it."""
        return is_one(tag) or tag not in seen and any(
            self.embeds(inner, is_one, (*seen, tag)) for inner in self.members.get(tag, {}).values())

    def item(self, tag, path):
        """Return the tag of ITEMS or OWN_ITEMS for a member of a structure, or nothing."""
        for name in re.findall(r"[a-zA-Z_]\w*", re.sub(r"\[[^\]]*\]", "", path)):
            tag = self.members.get(tag, {}).get(name, tag)
            if tag in ITEMS | OWN_ITEMS:
                return tag
        return ""

    def wraps(self, tag, path):
        """Return True if a member is one of the driver's structures, with such an item in it."""
        name = re.match(r"\w*", path)[0]
        inner = self.members.get(tag, {}).get(name, "")
        return self.embeds(inner, (ITEMS | OWN_ITEMS).__contains__)

    @functools.cached_property
    def hardware(self):
        """The driver's structures with access to the hardware, and a name for the access."""
        bodies = {tag: blanked(body) for tag, body in self.structs()}
        found = {tag: "the hardware in" for tag in bodies if self.embeds(
            tag, lambda inner: bool(HARDWARE.search(bodies.get(inner, ""))))}
        return found | {tag: "the registration data," for tag in bodies | dict.fromkeys(self.data)
                        if self.embeds(tag, self.data.__contains__)}

    def callback(self, ops, name):
        """Return the callback @name in a structure of BUS_OPS, or nothing."""
        for found, body in BUS_OPS.findall(self.text):
            if found == ops and (function := re.search(rf"\.{name}\s*=\s*&?(\w+)", body)):
                return function[1]
        return ""

    @functools.cached_property
    def displaying(self):
        """The driver's display callbacks that also run after the unplug, and the functions that
        they call."""
        return self.closure({name for body in DISPLAY_OPS.findall(self.text)
                             for name in DISPLAY_SET.findall(body)}, False)

    @functools.cached_property
    def completing(self):
        """The driver's functions that end the wait of other tasks, directly or not."""
        named = {callee for _, _, _, called in self.functions for callee, _ in called
                 if COMPLETES.fullmatch(callee)}
        return self.closure(named, True)

    @functools.cached_property
    def vm_steps(self):
        """The steps of address spaces, each with the descriptions that name it."""
        found = {}
        for description, body in VM_TYPE.findall(self.text):
            if ".base.granule" in body:
                for step in VM_STEP.findall(body):
                    found.setdefault(step, set()).add(description)
        return found

    @functools.cached_property
    def evicting(self):
        """The evict steps of objects and of address spaces, and the functions that they call."""
        return self.closure(set(EVICT_STEP.findall(self.text)), False)

    @functools.cached_property
    def counting(self):
        """The rss steps of objects, and the functions that they call."""
        return self.closure(set(RSS_STEP.findall(self.text)), False)

    def begins_with(self, tag, what, path):
        """Return True if a structure begins with the library's structure @what, or if it is not
        known."""
        if tag in self.names["unique"]:
            return what == "struct drm_shmem_obj"
        text = "\n".join(read(p) for p in self.included(path)[1])
        bodies = {name: blanked(body) for name, body in STRUCT.findall(text)}
        if tag not in bodies and not tag.startswith("drm_"):
            return True
        first, seen = f"struct {tag}", set()
        while first not in seen | {what}:
            seen.add(first)
            found = re.match(r"\s*(?:struct )?\w+", bodies.get(first.removeprefix("struct "), ""))
            first = found[0].strip() if found else ""
        return first == what

    def structs(self):
        """The structures of the driver: tag and body."""
        return STRUCT.findall(self.text)

    @functools.cached_property
    def owners(self):
        """The structures with owned handles: the members that are or contain handles, and their
        tags."""
        found, known = {}, self.names["owned"]
        while True:
            more = {tag: members for tag, body in self.structs()
                    if (members := self.owned_members(body, known | found.keys()))
                    and tag not in known}
            if more == found:
                return found
            found = more

    @staticmethod
    def owned_members(body, tags):
        """Return the members of a structure whose tag is one of @tags: name and tag."""
        members = {name: tag for tag, name in
                   re.findall(r"^\s+struct (\w+) (\w+)(?:\[\w+\])*;", blanked(body), re.M) if tag in tags}
        return members | {name: "drm_gpuvm_imm_core" for name in
                          re.findall(r"\bDRM_GPUVM_IMM_CORE\((\w+)\)", body)}

    def hands_on(self, variable, member, called, seen=()):
        """Return True if one of the calls gets a member of a variable, directly or through another
        function."""
        for callee, args in called:
            if callee in FREES or callee in ("container_of", "sizeof"):
                continue
            for at, arg in enumerate(args):
                if re.search(rf"\b{variable}->{member}\b", arg):
                    return True
                if arg == variable and self.ends(callee, at, member, seen):
                    return True
        return False

    def ends(self, function, at, member, seen):
        """Return True if a function passes a member of an argument on. Functions outside of the
        driver may do so."""
        if function in seen:
            return False
        bodies = [(params, called) for name, _, params, called in self.functions if name == function]
        for params, called in bodies:
            name = re.search(r"(\w+)$", params[at]) if at < len(params) else None
            if not name or self.hands_on(name[1], member, called, (*seen, function)):
                return True
        return not bodies

    @functools.cached_property
    def freeing(self):
        """The functions that free the object of their first argument, and all functions with a
        body."""
        bodies = re.findall(r"\b(\w+)\(\s*[\w ]+[ *](\w+)\s*[,)][^;{}]*\n\{\n(.*?)^\}", self.text,
                            re.M | re.S)
        released = set(re.findall(r"\.release\s*=\s*(\w+)", self.text))
        found = FREES | released
        while more := {f for f, arg, body in bodies if f not in found and
                       any(g in found for g in re.findall(rf"\b(\w+)\(\s*{arg}\s*[,)]", body))}:
            found |= more
        return found, found | {f for f, _, _ in bodies}


@functools.cache
def driver():
    """Return the driver that the rules check."""
    return Driver(os.environ["DRIVER"])


def names(kind):
    """Return all names of a kind. The names of "get" come with the function that puts each."""
    return driver().names[kind]


@functools.cache
def raw(header):
    """Return the kernel's functions that a header of the library wraps."""
    return frozenset(name.partition("@")[0] for name in " ".join(RAW[header].values()).split())


@functools.cache
def puts():
    """Return the function that gives back the result of each function of "get"."""
    return dict(pair.split() for pair in names("get"))


def waits(function, args):
    """Return True if a call waits without a limit, and the end of the registration does not end the
    wait."""
    return bool(WAITS.fullmatch(function)) and not any("_ending(" in arg for arg in args)


def frees(function):
    """Return True if a function frees its first argument. Without a body, judge by the name."""
    found, known = driver().freeing
    return function in found or function not in known and \
        function.endswith(("_free", "_destroy", "_release"))


def tag(declaration):
    """Return the tag of a type, or nothing if the type is a pointer or not a structure."""
    found = re.fullmatch(r"(?:const )?struct (\w+)(?: const)?", declaration.strip())
    return found[1] if found else ""


def is_struct(declaration, kind):
    """Return True for a structure of a kind, but not for a pointer to one."""
    return tag(declaration) in names(kind)
