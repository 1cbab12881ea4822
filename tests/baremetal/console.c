/*
 * See console.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdarg.h>
#include "console.h"

/* ---- Out ---------------------------------------------------------------- */

#define UART_DR     0x00
#define UART_FR     0x18
#define UART_FR_TXFF (1u << 5)
#define UART_LCR_H  0x2c
#define UART_LCR_H_8_BITS_FIFO 0x70
#define UART_CR     0x30
#define UART_CR_ENABLED 0x301   /* it, its receiver and transmitter */

void console_init(void)
{
    write32(UART_PA + UART_LCR_H, UART_LCR_H_8_BITS_FIFO);
    write32(UART_PA + UART_CR, UART_CR_ENABLED);
}

static void put(char c)
{
    while (read32(UART_PA + UART_FR) & UART_FR_TXFF) {
        continue;
    }
    write32(UART_PA + UART_DR, c);
}

static void put_text(const char *text)
{
    while (*text) {
        put(*text++);
    }
}

static void put_number(uint64_t value, unsigned base, unsigned width, char pad)
{
    char digits[20];
    unsigned count = 0;

    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    for (; width > count; width--) {
        put(pad);
    }
    while (count) {
        put(digits[--count]);
    }
}

static void put_signed(int64_t value, unsigned width, char pad)
{
    if (value < 0) {
        put('-');
        value = -value;
    }
    put_number(value, 10, width, pad);
}

void print(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    for (; *format; format++) {
        char pad = ' ';
        unsigned width = 0;
        bool wide = false;

        if (*format != '%') {
            put(*format);
            continue;
        }
        format++;
        if (*format == '0') {
            pad = *format++;
        }
        while (*format >= '0' && *format <= '9') {
            width = width * 10 + *format++ - '0';
        }
        if (*format == 'l') {
            wide = true;
            format++;
        }
        switch (*format) {
        case 's':
            put_text(va_arg(list, const char *));
            break;
        case 'c':
            put(va_arg(list, int));
            break;
        case 'd':
            put_signed(wide ? va_arg(list, long) : va_arg(list, int), width,
                       pad);
            break;
        case 'u':
        case 'x':
            put_number(wide ? va_arg(list, unsigned long)
                            : va_arg(list, unsigned),
                       *format == 'u' ? 10 : 16, width, pad);
            break;
        default:
            put(*format);
            break;
        }
    }
    va_end(list);
}

/* ---- Semihosting (Arm's "Semihosting for AArch32 and AArch64") ---------- */

enum { SYS_GET_CMDLINE = 0x15, SYS_EXIT = 0x18 };
#define APPLICATION_EXIT 0x20026

static uint64_t semihost(unsigned operation, const void *block)
{
    register uint64_t x0 asm("x0") = operation;
    register const void *x1 asm("x1") = block;

    asm volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
    return x0;
}

void guest_exit(int status)
{
    const uint64_t block[] = { APPLICATION_EXIT, status };

    for (;;) {
        semihost(SYS_EXIT, block);
    }
}

unsigned guest_arguments(const char *words[], unsigned most)
{
    static char line[4096];
    struct {
        char *text;
        uint64_t bytes;
    } block = { line, sizeof(line) };
    unsigned count = 0;
    bool first = true;

    if (semihost(SYS_GET_CMDLINE, &block)) {
        return 0;
    }
    for (char *p = line; *p && count < most;) {
        char *word = p;

        while (*p && *p != ' ') {
            p++;
        }
        if (*p) {
            *p++ = '\0';
        }
        if (!first) {
            words[count++] = word;
        }
        first = false;
    }
    return count;
}

bool same_text(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

void guest_number(const char *name, uint64_t *value)
{
    static const char *words[64];
    unsigned count = guest_arguments(words, 64);

    for (unsigned i = 0; i + 1 < count; i++) {
        if (same_text(words[i], name)) {
            *value = 0;
            for (const char *p = words[i + 1]; *p >= '0' && *p <= '9'; p++) {
                *value = *value * 10 + *p - '0';
            }
        }
    }
}

void guest_fatal(unsigned vector, uint64_t esr, uint64_t elr, uint64_t far)
{
    print("\nBail out! exception %u: ESR 0x%lx ELR 0x%lx FAR 0x%lx\n", vector,
          esr, elr, far);
    guest_exit(1);
}
