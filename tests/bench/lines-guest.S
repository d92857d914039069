/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A guest for QEMU that shows what the plugin lines.c counts, for scripts/checkers.sh. The first
 * processor does four repetitions, of which each writes three lines of the cache, one of them
 * twice, reads another, and writes a line that the second processor writes, too. The second
 * processor does three, of which each writes that line and one more. The first repetition of each
 * does not count, nor does what comes after the work. So there are 5 repetitions, with 3 * 4 +
 * 2 * 2 lines written, and 3 + 2 passed.
 *
 * It counts: 5 16 5.
 */
#define AP		0x8000		/* where the second processor begins */
#define SHARED		0x9000
#define AP_LINE		0x9040
#define AP_DONE		0x9080
#define APIC_ICR	0xfee00300
#define APIC_INIT	0x000c4500
#define APIC_START	(0x000c4600 + AP / 0x1000)

	.section .text
	.code32
	.balign	4
	/* What QEMU looks for: a magic number, no flags, and what makes the sum zero. */
	.long	0x1badb002, 0, -0x1badb002

	.globl	_start
_start:
bench_once:
	cld
	movl	$ap, %esi
	movl	$AP, %edi
	movl	$(ap_end - ap), %ecx
	rep movsb
	movl	$APIC_INIT, APIC_ICR
	movl	$0x100000, %ecx
wait:
	loop	wait
	movl	$APIC_START, APIC_ICR
	movl	$4, %ecx
repeat:
	movl	$1, lines
	movl	$1, lines + 60
	movl	$1, lines + 64
	movl	lines + 192, %eax
	incl	lines + 128
	incl	SHARED
bench_repeats_1:
	decl	%ecx
	jnz	repeat
bench_stop:
	movl	$1, lines + 256
	cmpw	$0, AP_DONE
	je	bench_stop
	/* The device isa-debug-exit */
	xorl	%eax, %eax
	outb	%al, $0xf4
	hlt

	.code16
ap:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	$3, %cx
ap_repeat:
	incw	SHARED
	movw	$1, AP_LINE
ap_repeats:
	decw	%cx
	jnz	ap_repeat
ap_stop:
	movw	$1, AP_DONE
	hlt
ap_end:
	.set	bench_repeats_2, AP + ap_repeats - ap
	.set	bench_stop_2, AP + ap_stop - ap

	.bss
	.balign	64
lines:
	.skip	320
