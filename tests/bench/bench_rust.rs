// SPDX-License-Identifier: GPL-2.0-only OR MIT

//! The kernel's Rust abstractions, doing the work of the other files in this directory.
//!
//! `bench_rust_c.c` calls these functions. A context is made for a bound device, and freed again.
//! The functions that take a context and a number of loops return the time of the loops, in
//! nanoseconds of `bench_clock()`.

use core::{
    arch::asm,
    ffi::{
        c_int,
        c_void, //
    },
    mem, ptr,
    sync::atomic::{
        AtomicU32,
        Ordering, //
    },
};
use kernel::{
    alloc::KVVec,
    bindings,
    device::{
        self,
        AsBusDevice,
        Bound, //
    },
    drm::{
        self,
        gem::{
            self,
            shmem, //
        },
        gpuvm::{
            DriverGpuVm,
            GpuVaAlloc,
            GpuVm,
            GpuVmBo,
            OpMap,
            OpMapRequest,
            OpMapped,
            OpRemap,
            OpRemapped,
            OpUnmap,
            OpUnmapped,
            UniqueRefGpuVm, //
        },
        UnregisteredDevice, //
    },
    faux,
    io::{
        io_project,
        io_read,
        io_write,
        Io,
        IoBase,
        IoSysMap,
        Mmio,
        MmioRaw,
        Region,
        SysMem, //
    },
    module::{
        ModuleMetadata,
        ThisModule, //
    },
    prelude::*,
    str::CStr,
    sync::aref::ARef,
    uapi, //
};

extern "C" {
    fn bench_start() -> u64;
    fn bench_stop(start: u64) -> u64;
}

const PAGE: usize = 4096;
const SIZE: usize = 65536;
const SLOT: u64 = 16 * 4096;
const VM_RANGE: u64 = 1 << 46;

/// Times `loops` calls of `f`. The compiler cannot merge them.
#[inline(always)]
fn bench_loop(loops: u32, mut f: impl FnMut(u32)) -> u64 {
    // SAFETY: It may be called by any task.
    let start = unsafe { bench_start() };

    for i in 0..loops {
        f(i);
        // SAFETY: There is no instruction in it.
        unsafe { asm!("") };
    }
    // SAFETY: As above.
    unsafe { bench_stop(start) }
}

// The code is never in a module.
struct Owner;

impl ModuleMetadata for Owner {
    const NAME: &'static CStr = c"drm_safe_bench";
    // SAFETY: The `THIS_MODULE` of built-in code is null.
    const THIS_MODULE: ThisModule = unsafe { ThisModule::from_ptr(ptr::null_mut()) };
}

struct BenchDriver;
struct BenchFile;
#[pin_data]
struct BenchData {}
#[pin_data]
struct BenchObject {}

type Bo = shmem::Object<BenchObject>;
type Device<C = drm::Normal> = drm::Device<BenchDriver, C>;

struct BenchReg {
    work: AtomicU32,
}

impl BenchReg {
    // Two plain accesses: the count needs no more than in C.
    #[inline(always)]
    fn add(&self, work: u32) {
        self.work.store(
            self.work.load(Ordering::Relaxed).wrapping_add(work),
            Ordering::Relaxed,
        );
    }
}

impl drm::file::DriverFile for BenchFile {
    type Driver = BenchDriver;

    fn open(_dev: &Device) -> Result<Pin<KBox<Self>>> {
        Ok(KBox::new(Self, GFP_KERNEL)?.into())
    }
}

impl gem::DriverObject for BenchObject {
    type Driver = BenchDriver;
    type Args = ();

    fn new(_dev: &Device, _size: usize, _args: ()) -> impl PinInit<Self, Error> {
        try_pin_init!(BenchObject {})
    }
}

fn bench_ioctl(
    _dev: &Device<drm::Registered>,
    reg: &BenchReg,
    args: &mut uapi::drm_nova_getparam,
    _file: &drm::File<BenchFile>,
) -> Result<u32> {
    reg.add(args.param as u32);
    Ok(0)
}

#[vtable]
impl drm::Driver for BenchDriver {
    type OwnerModule = Owner;
    type Data = BenchData;
    type RegistrationData<'a> = BenchReg;
    type Object = Bo;
    type File = BenchFile;
    type ParentDevice<Ctx: device::DeviceContext> = faux::Device<Ctx>;

    const INFO: drm::DriverInfo = drm::DriverInfo {
        major: 0,
        minor: 0,
        patchlevel: 0,
        name: c"bench_rust",
        desc: c"benchmark of the Rust abstractions",
    };
    const FEAT_RENDER: bool = true;

    // The macro takes ioctls of the kernel's uapi crate only. This one has one number as argument.
    kernel::declare_drm_ioctls! {
        (NOVA_GETPARAM, drm_nova_getparam, drm::ioctl::RENDER_ALLOW, bench_ioctl),
    }
}

/// The data of the rows.
struct Bench {
    parent: &'static device::Device<Bound>,
    reg: Option<drm::Registration<'static, BenchDriver>>,
    map: shmem::VMapOwned<BenchObject, PAGE>,
    obj: ARef<Bo>,
    many: KVVec<Option<ARef<Bo>>>,
    // The last, because an object has no reference to its device.
    drm: ARef<Device>,
    bad: bool,
}

fn bus_device(parent: &'static device::Device<Bound>) -> &'static faux::Device<Bound> {
    // SAFETY: The parent of a test is a faux device.
    unsafe { faux::Device::from_device(parent) }
}

fn unregistered(parent: &'static device::Device<Bound>) -> Result<UnregisteredDevice<BenchDriver>> {
    UnregisteredDevice::new(bus_device(parent), try_pin_init!(BenchData {}))
}

fn register(
    parent: &'static device::Device<Bound>,
    drm: UnregisteredDevice<BenchDriver>,
) -> Result<drm::Registration<'static, BenchDriver>> {
    let data = BenchReg {
        work: AtomicU32::new(0),
    };

    // SAFETY: The registration is dropped before the parent is unbound.
    unsafe { drm::Registration::new(parent, drm, data, 0) }
}

fn object(drm: &Device, size: usize) -> Result<ARef<Bo>> {
    Bo::new(drm, size, shmem::ObjectConfig::default(), ())
}

fn bench_new(parent: &'static device::Device<Bound>) -> Result<KBox<Bench>> {
    let reg = register(parent, unregistered(parent)?)?;
    let drm: ARef<Device> = reg.device().into();
    let obj = object(&drm, SIZE)?;
    let map = obj.owned_vmap()?;

    obj.sg_table(parent)?;
    Ok(KBox::new(
        Bench {
            parent,
            reg: Some(reg),
            drm,
            obj,
            map,
            many: KVVec::new(),
            bad: false,
        },
        GFP_KERNEL,
    )?)
}

/// # Safety
///
/// `parent` is a faux device, which stays bound until `bench_rust_unregister()`.
unsafe fn bound(parent: *mut bindings::device) -> &'static device::Device<Bound> {
    // SAFETY: By the safety requirements.
    unsafe { device::Device::from_raw(parent) }
}

/// Returns null if something fails.
#[no_mangle]
unsafe extern "C" fn bench_rust_new(parent: *mut bindings::device) -> *mut c_void {
    // SAFETY: The caller's.
    bench_new(unsafe { bound(parent) })
        .map_or(ptr::null_mut(), |bench| KBox::into_raw(bench).cast())
}

/// # Safety
///
/// `ctx` is from `bench_rust_new()`, and no other task uses it meanwhile.
#[inline(always)]
unsafe fn bench<'a>(ctx: *mut c_void) -> &'a mut Bench {
    // SAFETY: By the safety requirements.
    unsafe { &mut *ctx.cast() }
}

#[no_mangle]
unsafe extern "C" fn bench_rust_unregister(ctx: *mut c_void) {
    // SAFETY: The caller's.
    unsafe { bench(ctx) }.reg = None;
}

/// Returns whether anything has failed until now.
#[no_mangle]
unsafe extern "C" fn bench_rust_free(ctx: *mut c_void) -> bool {
    // SAFETY: The caller's.
    unsafe { KBox::<Bench>::from_raw(ctx.cast()) }.bad
}

#[no_mangle]
unsafe extern "C" fn bench_rust_drm(ctx: *mut c_void) -> *mut bindings::drm_device {
    // SAFETY: The caller's. A device begins with the C struct.
    ptr::from_ref::<Device>(unsafe { &bench(ctx).drm })
        .cast_mut()
        .cast()
}

/// A device that is allocated and released.
#[no_mangle]
unsafe extern "C" fn bench_rust_alloc_once(parent: *mut bindings::device) -> c_int {
    // SAFETY: The caller's.
    unregistered(unsafe { bound(parent) }).map_or_else(|e| e.to_errno(), |_| 0)
}

/// The same with a registration in between.
#[no_mangle]
unsafe extern "C" fn bench_rust_register_once(parent: *mut bindings::device) -> c_int {
    // SAFETY: The caller's.
    let parent = unsafe { bound(parent) };

    unregistered(parent)
        .and_then(|drm| register(parent, drm))
        .map_or_else(|e| e.to_errno(), |_| 0)
}

#[no_mangle]
unsafe extern "C" fn bench_rust_guard(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The device is registered. Of this context, only ioctls get a reference, by way of
    // the same function.
    let drm: &Device<drm::Ioctl> = unsafe { drm::Device::from_raw(bench_rust_drm(ctx)) };

    bench_loop(loops, |_| {
        if let Some(guard) = drm.registration_guard() {
            guard.registration_data_with(|reg| reg.add(1));
        }
    })
}

// With a name for others, such a function is not a part of its caller.
#[no_mangle]
#[inline(never)]
fn bench_rust_borrowed_once(obj: &Bo) -> u32 {
    obj.vmap::<PAGE>().map_or(0, |map| map.read32(0))
}

#[no_mangle]
#[inline(never)]
fn bench_rust_owned_once(obj: &Bo) -> u32 {
    obj.owned_vmap::<PAGE>().map_or(0, |map| map.read32(0))
}

#[no_mangle]
unsafe extern "C" fn bench_rust_borrowed(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let obj: &Bo = unsafe { &bench(ctx).obj };

    bench_loop(loops, |_| {
        bench_rust_borrowed_once(obj);
    })
}

#[no_mangle]
unsafe extern "C" fn bench_rust_owned(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let obj: &Bo = unsafe { &bench(ctx).obj };

    bench_loop(loops, |_| {
        bench_rust_owned_once(obj);
    })
}

#[no_mangle]
unsafe extern "C" fn bench_rust_write(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let map = unsafe { &bench(ctx).map };

    bench_loop(loops, |i| map.write32(i, 32))
}

#[no_mangle]
unsafe extern "C" fn bench_rust_masked(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let map = unsafe { &bench(ctx).map };

    bench_loop(loops, |i| map.write32(i, (i & 1023) as usize * 4))
}

#[no_mangle]
unsafe extern "C" fn bench_rust_read(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let map = unsafe { &bench(ctx).map };

    bench_loop(loops, |_| {
        map.read32(32);
    })
}

#[no_mangle]
unsafe extern "C" fn bench_rust_read_masked(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let map = unsafe { &bench(ctx).map };

    bench_loop(loops, |i| {
        map.read32((i & 1023) as usize * 4);
    })
}

/// As in C.
#[repr(C)]
#[derive(FromBytes, IntoBytes)]
struct Table {
    head: u32,
    slots: [u32; 1000],
}

#[no_mangle]
#[inline(never)]
fn bench_rust_table_once(table: SysMem<'_, Table>, i: usize, value: u32) -> Result {
    io_write!(table, .slots[try: i], value);
    Ok(())
}

#[no_mangle]
#[inline(never)]
fn bench_rust_read_table_once(table: SysMem<'_, Table>, i: usize) -> Result<u32> {
    Ok(io_read!(table, .slots[try: i]))
}

#[no_mangle]
unsafe extern "C" fn bench_rust_table(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let map = unsafe { &bench(ctx).map };

    map.try_cast::<Table>().map_or(0, |table| {
        bench_loop(loops, |i| {
            let _ = bench_rust_table_once(table, (i & 1023) as usize, i);
        })
    })
}

#[no_mangle]
unsafe extern "C" fn bench_rust_read_table(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let map = unsafe { &bench(ctx).map };

    map.try_cast::<Table>().map_or(0, |table| {
        bench_loop(loops, |i| {
            let _ = bench_rust_read_table_once(table, (i & 1023) as usize);
        })
    })
}

#[no_mangle]
#[inline(never)]
fn bench_rust_checked_once(
    map: &shmem::VMapOwned<BenchObject, PAGE>,
    off: usize,
    value: u32,
) -> Result {
    map.try_write32(value, off)
}

#[no_mangle]
unsafe extern "C" fn bench_rust_checked(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let map = unsafe { &bench(ctx).map };

    bench_loop(loops, |i| {
        let _ = bench_rust_checked_once(map, (i & 0xffc) as usize, i);
    })
}

#[no_mangle]
#[inline(never)]
fn bench_rust_either_once(map: &IoSysMap<'_, Region<PAGE>>, value: u32) {
    map.write32(value, 32)
}

#[no_mangle]
unsafe extern "C" fn bench_rust_either(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let map = IoSysMap::from(unsafe { &bench(ctx).map }.as_view());

    bench_loop(loops, |i| bench_rust_either_once(&map, i))
}

#[no_mangle]
#[inline(never)]
fn bench_rust_io_once(map: &Mmio<'_, Region<PAGE>>, value: u32) {
    map.write32(value, 32)
}

/// Memory does for I/O memory: the accesses are the same.
#[no_mangle]
unsafe extern "C" fn bench_rust_io(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let view = unsafe { &bench(ctx).map }.as_view();

    MmioRaw::<Region<PAGE>>::new_region(view.as_ptr().cast::<u8>() as usize, SIZE).map_or(
        0,
        |raw| {
            // SAFETY: The memory is mapped for as long as the context lives.
            let map = unsafe { Mmio::from_raw(raw) };

            bench_loop(loops, |i| bench_rust_io_once(&map, i))
        },
    )
}

#[no_mangle]
#[inline(never)]
fn bench_rust_copy_once(bytes: SysMem<'_, [u8]>, off: usize, src: &[u8]) -> Result {
    let end = off.checked_add(src.len()).ok_or(EINVAL)?;

    io_project!(bytes, [try: off..end]).copy_from_slice(src);
    Ok(())
}

static SOURCE: [u8; PAGE] = [0; PAGE];

fn copy(bench: &Bench, loops: u32, len: usize) -> u64 {
    let region = bench.map.as_view().as_ptr();
    // SAFETY: The bytes of the mapping. A region is not to be had as such.
    let bytes = unsafe { SysMem::new(ptr::slice_from_raw_parts_mut(region.cast::<u8>(), SIZE)) };

    bench_loop(loops, |i| {
        let _ = bench_rust_copy_once(bytes, (i & 0x3fc0) as usize, &SOURCE[..len]);
    })
}

#[no_mangle]
unsafe extern "C" fn bench_rust_copy_64(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    copy(unsafe { bench(ctx) }, loops, 64)
}

#[no_mangle]
unsafe extern "C" fn bench_rust_copy_4k(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    copy(unsafe { bench(ctx) }, loops, PAGE)
}

#[no_mangle]
#[inline(never)]
fn bench_rust_sgt_once(obj: &Bo, parent: &device::Device<Bound>) -> bool {
    obj.sg_table(parent).is_ok()
}

#[no_mangle]
unsafe extern "C" fn bench_rust_sgt(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let b = unsafe { bench(ctx) };
    let obj: &Bo = &b.obj;
    let mut bad = false;
    let time = bench_loop(loops, |_| bad |= !bench_rust_sgt_once(obj, b.parent));

    b.bad |= bad;
    time
}

#[no_mangle]
unsafe extern "C" fn bench_rust_create(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let b = unsafe { bench(ctx) };
    let drm: &Device = &b.drm;
    let mut bad = false;
    let time = bench_loop(loops, |_| bad |= object(drm, SIZE).is_err());

    b.bad |= bad;
    time
}

#[no_mangle]
unsafe extern "C" fn bench_rust_cold_vmap(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let b = unsafe { bench(ctx) };
    let drm: &Device = &b.drm;
    let mut bad = false;
    let time = bench_loop(loops, |_| match object(drm, SIZE) {
        Ok(obj) => {
            bench_rust_borrowed_once(&obj);
        }
        Err(_) => bad = true,
    });

    b.bad |= bad;
    time
}

#[no_mangle]
unsafe extern "C" fn bench_rust_cold_sgt(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let b = unsafe { bench(ctx) };
    let drm: &Device = &b.drm;
    let mut bad = false;
    let time = bench_loop(loops, |_| match object(drm, SIZE) {
        Ok(obj) => bad |= !bench_rust_sgt_once(&obj, b.parent),
        Err(_) => bad = true,
    });

    b.bad |= bad;
    time
}

/// Makes `n` objects of a page, each with its table.
#[no_mangle]
unsafe extern "C" fn bench_rust_fill(ctx: *mut c_void, n: u32) {
    // SAFETY: The caller's.
    let b = unsafe { bench(ctx) };

    for _ in 0..n {
        let obj = object(&b.drm, PAGE);

        b.bad |= obj
            .as_ref()
            .map_or(true, |obj| !bench_rust_sgt_once(obj, b.parent));
        b.bad |= b.many.push(obj.ok(), GFP_KERNEL).is_err();
    }
}

/// Frees them, the newest first or the oldest first.
fn many(b: &mut Bench, loops: u32, newest_first: bool) -> u64 {
    let mut many = mem::replace(&mut b.many, KVVec::new());
    let last = many.len().wrapping_sub(1);

    bench_loop(loops, |i| {
        let i = i as usize;

        if let Some(obj) = many.get_mut(if newest_first {
            last.wrapping_sub(i)
        } else {
            i
        }) {
            *obj = None;
        }
    })
}

#[no_mangle]
unsafe extern "C" fn bench_rust_many_oldest(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    unsafe { bench_rust_fill(ctx, loops) };
    // SAFETY: The caller's.
    many(unsafe { bench(ctx) }, loops, false)
}

#[no_mangle]
unsafe extern "C" fn bench_rust_many_newest(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    unsafe { bench_rust_fill(ctx, loops) };
    // SAFETY: The caller's.
    many(unsafe { bench(ctx) }, loops, true)
}

/// The mappings that an update takes at most.
#[derive(Default)]
struct Spare([Option<GpuVaAlloc<Space>>; 3]);

impl Spare {
    fn new(n: usize) -> Result<Self> {
        let mut spare = Self::default();

        for va in spare.0.iter_mut().take(n) {
            *va = Some(GpuVaAlloc::new(GFP_KERNEL)?);
        }
        Ok(spare)
    }

    fn take(&mut self) -> Result<GpuVaAlloc<Space>> {
        self.0.iter_mut().find_map(Option::take).ok_or(ENOMEM)
    }
}

/// An address space.
struct Space {
    steps: u64,
}

impl DriverGpuVm for Space {
    type Driver = BenchDriver;
    type Object = Bo;
    type VaData = u64;
    type VmBoData = ();
    type SmContext<'ctx> = Spare;

    fn sm_step_map<'op, 'ctx>(
        &mut self,
        op: OpMap<'op, Self>,
        spare: &mut Self::SmContext<'ctx>,
    ) -> Result<OpMapped<'op, Self>, Error> {
        self.steps += op.length();
        Ok(op.insert(spare.take()?, 0u64))
    }

    fn sm_step_unmap<'op, 'ctx>(
        &mut self,
        op: OpUnmap<'op, Self>,
        _spare: &mut Self::SmContext<'ctx>,
    ) -> Result<OpUnmapped<'op, Self>, Error> {
        self.steps += op.va().length();
        Ok(op.remove().0)
    }

    // The data of the old mapping cannot be read before it is removed, so it is not handed on.
    fn sm_step_remap<'op, 'ctx>(
        &mut self,
        op: OpRemap<'op, Self>,
        spare: &mut Self::SmContext<'ctx>,
    ) -> Result<OpRemapped<'op, Self>, Error> {
        let va = op.va_to_unmap().range();
        let start = op
            .prev()
            .map_or(va.start, |prev| prev.addr() + prev.length());
        let end = op.next().map_or(va.end, |next| next.addr());

        self.steps += end - start;
        Ok(op.remap([spare.take()?, spare.take()?], 0u64, 0u64).0)
    }
}

/// The job of a VM_BIND.
struct Update {
    vm_bo: Option<ARef<GpuVmBo<Space>>>,
    spare: Spare,
    addr: u64,
    range: u64,
    offset: u64,
}

/// The data of the rows of an address space.
struct BenchVm {
    vm: UniqueRefGpuVm<Space>,
    vm_bo: ARef<GpuVmBo<Space>>,
    obj: ARef<Bo>,
    other: ARef<Bo>,
    slots: KVVec<u64>,
    updates: KVVec<Update>,
    random: u32,
    bad: bool,
}

fn run_map(vm: &mut UniqueRefGpuVm<Space>, update: &mut Update) -> Result {
    let vm_bo = update.vm_bo.take().ok_or(EINVAL)?;
    let ret = vm.sm_map(OpMapRequest {
        addr: update.addr,
        range: update.range,
        gem_offset: update.offset,
        vm_bo: &vm_bo,
        context: &mut update.spare,
    });

    update.spare = Spare::default();
    ret
}

fn run_unmap(vm: &mut UniqueRefGpuVm<Space>, update: &mut Update) -> Result {
    let ret = vm.sm_unmap(update.addr, update.range, &mut update.spare);

    update.spare = Spare::default();
    ret
}

impl BenchVm {
    fn prepare_map(&mut self, addr: u64, range: u64, offset: u64) -> Result {
        let update = Update {
            vm_bo: Some(self.vm_bo.clone()),
            spare: Spare::new(3)?,
            addr,
            range,
            offset,
        };

        Ok(self.updates.push(update, GFP_KERNEL)?)
    }

    fn prepare_unmap(&mut self, addr: u64, range: u64) -> Result {
        let update = Update {
            vm_bo: None,
            spare: Spare::new(2)?,
            addr,
            range,
            offset: 0,
        };

        Ok(self.updates.push(update, GFP_KERNEL)?)
    }

    /// Runs the prepared updates, which are all maps or all unmaps, and returns the time.
    #[inline(always)]
    fn run(
        &mut self,
        loops: u32,
        run: impl Fn(&mut UniqueRefGpuVm<Space>, &mut Update) -> Result,
    ) -> u64 {
        let Self {
            vm, updates, bad, ..
        } = self;
        let time = bench_loop(loops, |i| {
            *bad |= updates
                .get_mut(i as usize)
                .map_or(true, |update| run(vm, update).is_err());
        });

        updates.clear();
        time
    }

    fn map_whole(&mut self, addr: u64, range: u64, offset: u64) -> Result {
        let mut update = Update {
            vm_bo: Some(self.vm_bo.clone()),
            spare: Spare::new(3)?,
            addr,
            range,
            offset,
        };

        run_map(&mut self.vm, &mut update)
    }

    fn unmap_whole(&mut self, addr: u64, range: u64) -> Result {
        self.vm.sm_unmap(addr, range, &mut Spare::new(2)?)
    }

    /// As in C: another order each time.
    fn shuffle(&mut self, loops: u32) {
        for i in (1..loops as usize).rev() {
            self.random = self.random.wrapping_mul(1664525).wrapping_add(1013904223);
            self.slots.swap(i, (self.random >> 8) as usize % (i + 1));
        }
    }

    fn mapped(&self, i: u32) -> u64 {
        2 * SLOT * self.slots[i as usize]
    }

    fn hole(&self, i: u32) -> u64 {
        self.mapped(i) + SLOT
    }

    /// For each slot.
    fn each(&mut self, loops: u32, f: impl Fn(&mut Self, u32) -> Result) {
        for i in 0..loops {
            self.bad |= f(self, i).is_err();
        }
    }
}

fn vm_new(b: &Bench, n: u32, ops: u32) -> Result<KBox<BenchVm>> {
    let root = object(&b.drm, PAGE)?;
    let obj = object(&b.drm, 4 << 20)?;
    let vm = GpuVm::<Space>::new::<Error, _>(
        c"rust",
        &*b.drm,
        &root,
        0..VM_RANGE,
        0..0,
        Space { steps: 0 },
    )?;
    let mut v = KBox::new(
        BenchVm {
            vm_bo: vm.obtain(&obj, ())?,
            vm,
            obj,
            other: object(&b.drm, 4 << 20)?,
            slots: KVVec::new(),
            updates: KVVec::with_capacity(ops as usize, GFP_KERNEL)?,
            random: n,
            bad: false,
        },
        GFP_KERNEL,
    )?;

    for i in 0..n {
        v.map_whole(2 * SLOT * u64::from(i), SLOT, 0)?;
    }
    for i in 0..ops {
        v.slots
            .push(u64::from(i) * u64::from(n) / u64::from(ops), GFP_KERNEL)?;
    }
    Ok(v)
}

/// An address space with `n` mappings. Rows work on `ops` of its slots. Null if anything fails.
#[no_mangle]
unsafe extern "C" fn bench_rust_vm_new(ctx: *mut c_void, n: u32, ops: u32) -> *mut c_void {
    // SAFETY: The caller's.
    vm_new(unsafe { bench(ctx) }, n, ops).map_or(ptr::null_mut(), |vm| KBox::into_raw(vm).cast())
}

/// # Safety
///
/// `ctx` is from `bench_rust_vm_new()`, and no other task uses it meanwhile.
#[inline(always)]
unsafe fn bench_vm<'a>(ctx: *mut c_void) -> &'a mut BenchVm {
    // SAFETY: By the safety requirements.
    unsafe { &mut *ctx.cast() }
}

/// Returns the checksum of the steps, or 0 if anything has failed.
#[no_mangle]
unsafe extern "C" fn bench_rust_vm_free(ctx: *mut c_void) -> u64 {
    // SAFETY: The caller's.
    let mut v = unsafe { KBox::<BenchVm>::from_raw(ctx.cast()) };

    v.bad |= v.unmap_whole(0, VM_RANGE).is_err();
    v.vm.deferred_cleanup();
    let BenchVm { vm, vm_bo, bad, .. } = KBox::into_inner(v);
    let steps = vm.data_ref().steps;

    drop(vm_bo);
    vm.deferred_cleanup();
    if bad {
        0
    } else {
        steps
    }
}

#[no_mangle]
unsafe extern "C" fn bench_rust_map(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let v = unsafe { bench_vm(ctx) };

    v.shuffle(loops);
    v.each(loops, |v, i| v.prepare_map(v.hole(i), SLOT, SLOT));
    let time = v.run(loops, run_map);
    v.each(loops, |v, i| v.unmap_whole(v.hole(i), SLOT));
    time
}

#[no_mangle]
unsafe extern "C" fn bench_rust_unmap(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let v = unsafe { bench_vm(ctx) };

    v.each(loops, |v, i| v.map_whole(v.hole(i), SLOT, SLOT));
    v.shuffle(loops);
    v.each(loops, |v, i| v.prepare_unmap(v.hole(i), SLOT));
    v.run(loops, run_unmap)
}

#[no_mangle]
unsafe extern "C" fn bench_rust_split(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let v = unsafe { bench_vm(ctx) };

    v.shuffle(loops);
    v.each(loops, |v, i| {
        v.prepare_map(v.mapped(i) + 4 * PAGE as u64, PAGE as u64, SLOT)
    });
    let time = v.run(loops, run_map);
    v.each(loops, |v, i| v.map_whole(v.mapped(i), SLOT, 0));
    time
}

/// As in `VM_BIND`: find the `vm_bo`, allocate for the worst case, map, clean up.
#[inline(never)]
fn path_once(vm: &mut UniqueRefGpuVm<Space>, obj: &Bo, addr: u64) -> Result {
    let mut update = Update {
        vm_bo: Some(vm.obtain(obj, ())?),
        spare: Spare::new(3)?,
        addr,
        range: SLOT,
        offset: SLOT,
    };
    let ret = run_map(vm, &mut update);

    vm.deferred_cleanup();
    ret
}

#[no_mangle]
unsafe extern "C" fn bench_rust_path(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let v = unsafe { bench_vm(ctx) };

    v.shuffle(loops);
    let BenchVm {
        vm,
        obj,
        slots,
        bad,
        ..
    } = v;
    let time = bench_loop(loops, |i| {
        *bad |= path_once(vm, obj, 2 * SLOT * slots[i as usize] + SLOT).is_err();
    });
    v.each(loops, |v, i| v.unmap_whole(v.hole(i), SLOT));
    time
}

#[no_mangle]
unsafe extern "C" fn bench_rust_obtain(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let BenchVm { vm, obj, bad, .. } = unsafe { bench_vm(ctx) };

    bench_loop(loops, |_| *bad |= vm.obtain(obj, ()).is_err())
}

#[no_mangle]
unsafe extern "C" fn bench_rust_obtain_first(ctx: *mut c_void, loops: u32) -> u64 {
    // SAFETY: The caller's.
    let BenchVm { vm, other, bad, .. } = unsafe { bench_vm(ctx) };

    bench_loop(loops, |_| {
        *bad |= vm.obtain(other, ()).is_err();
        vm.deferred_cleanup();
    })
}
