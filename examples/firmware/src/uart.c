/* SPDX-License-Identifier: Apache-2.0 */
/* UART 0 of the MPS2 board (CMSDK APB UART), polled. */
#include "uart.h"

#define UART_BASE 0x40004000u
#define UART_DATA (*(volatile uint32_t *)(UART_BASE + 0x00u))
#define UART_STATE (*(volatile uint32_t *)(UART_BASE + 0x04u))
#define UART_CTRL (*(volatile uint32_t *)(UART_BASE + 0x08u))
#define UART_BAUDDIV (*(volatile uint32_t *)(UART_BASE + 0x10u))

#define UART_STATE_TX_FULL 1u
#define UART_CTRL_TX_ENABLE 1u
#define CLOCK_HZ 25000000u
#define BAUD 115200u

void uart_init(void)
{
    UART_BAUDDIV = CLOCK_HZ / BAUD;
    UART_CTRL = UART_CTRL_TX_ENABLE;
}

void uart_text(const char *text)
{
    for (; *text != '\0'; text++) {
        while ((UART_STATE & UART_STATE_TX_FULL) != 0u) {
        }
        UART_DATA = (uint32_t)(unsigned char)*text;
    }
}

void uart_number(uint32_t number)
{
    char digits[11];
    char *first = &digits[10];
    *first = '\0';
    do {
        *--first = (char)('0' + number % 10u);
        number /= 10u;
    } while (number != 0u);
    uart_text(first);
}
