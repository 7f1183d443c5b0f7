/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UART_H
#define UART_H

#include <stdint.h>

void uart_init(void);
void uart_text(const char *text);
void uart_number(uint32_t number);

#endif
