/* SPDX-License-Identifier: MIT */
/* Conway's game of life on the text screen, whose edges meet: a key ends it. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys.h>

#define COLUMNS SCREEN_COLUMNS
#define ROWS (SCREEN_ROWS - 1) /* the last one says what this is */

#define GENERATION_MS 80
#define ONE_IN 4 /* cells that live at first */
#define AGE_MOST 20

#define CELL 0xfe /* a square, in the screen's own alphabet (code page 437) */
#define BLACK_ON_GREY 0x70
#define GREY 0x07

/* Of each cell: 0 is dead, otherwise how many generations it has lived. */
static unsigned char now[ROWS][COLUMNS];
static unsigned char then[ROWS][COLUMNS];

static unsigned neighbours(unsigned row, unsigned column)
{
    unsigned count = 0;

    for (unsigned down = ROWS - 1; down <= ROWS + 1; down++) {
        for (unsigned right = COLUMNS - 1; right <= COLUMNS + 1; right++) {
            count += now[(row + down) % ROWS][(column + right) % COLUMNS] > 0;
        }
    }
    return count - (now[row][column] > 0);
}

/* The young are white, then yellow, green, and blue. */
static unsigned char colour(unsigned age)
{
    return age < 2 ? 0x0f : (age < 5 ? 0x0e : (age < AGE_MOST ? 0x0a : 0x09));
}

static void show_cell(unsigned row, unsigned column)
{
    const unsigned age = now[row][column];

    screen_put(column, row, age > 0 ? CELL : ' ', age > 0 ? colour(age) : GREY);
}

static void show_text(const char *text)
{
    for (unsigned column = 0; column < COLUMNS; column++) {
        const char c = *text != '\0' ? *text++ : ' ';

        screen_put(column, ROWS, (unsigned char)c, BLACK_ON_GREY);
    }
}

static void begin(unsigned seed)
{
    srand(seed);
    for (unsigned row = 0; row < ROWS; row++) {
        for (unsigned column = 0; column < COLUMNS; column++) {
            now[row][column] = rand() % ONE_IN == 0;
            show_cell(row, column);
        }
    }
}

/* A cell lives on with two or three neighbours, and comes to life with three. */
static void step(void)
{
    for (unsigned row = 0; row < ROWS; row++) {
        for (unsigned column = 0; column < COLUMNS; column++) {
            const unsigned count = neighbours(row, column);
            const unsigned char age = now[row][column];
            const unsigned char older = age < AGE_MOST ? age + 1 : age;

            then[row][column] = count == 3 || (age > 0 && count == 2) ? older : 0;
        }
    }
    for (unsigned row = 0; row < ROWS; row++) {
        for (unsigned column = 0; column < COLUMNS; column++) {
            if (now[row][column] != then[row][column]) {
                now[row][column] = then[row][column];
                show_cell(row, column);
            }
        }
    }
}

static void clear(void)
{
    for (unsigned row = 0; row < SCREEN_ROWS; row++) {
        for (unsigned column = 0; column < SCREEN_COLUMNS; column++) {
            screen_put(column, row, ' ', GREY);
        }
    }
}

/* argv[1]: after how many generations it ends; argv[2]: which beginning. */
int main(int argc, char *argv[])
{
    const unsigned long most = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    const unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 10) : time_ms();
    unsigned long generation = 0;

    if (argc > 3 || (argc > 1 && most == 0) || (argc > 2 && !isdigit(*argv[2]))) {
        printf("usage: %s [GENERATIONS [SEED]]\n", argv[0]);
        return 1;
    }
    begin((unsigned)seed);
    do {
        char text[COLUMNS + 1];

        snprintf(text, sizeof(text), " life, seed %lu: generation %lu; a key ends it",
                 seed, generation);
        show_text(text);
        sleep_ms(GENERATION_MS);
        step();
        generation++;
    } while (generation != most && poll() < 0);
    clear();
    printf("%s: %lu generations of seed %lu\n", argv[0], generation, seed);
    return 0;
}
