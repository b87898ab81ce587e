/* hidapi with one simulated Stream Deck behind a Unix socket, for programs that bring or load a compiled hidapi.
 *
 * Loaded as "libhidapi-libusb.so" it is found by programs that ask the system for hidapi; with LD_PRELOAD it goes before the
 * hidapi that is compiled into Node's and Python's own modules, because they call it by name. The deck is another process, so
 * that its costs are not in those that are measured. A call is one packet there and one back: first a letter for the
 * question, back an int32 (host byte order) and what was asked for. Input reports come on a connection of their own, each
 * answered with the monotonic time in ns (int64, host byte order) at which the program has it.
 *
 * What it leaves out makes those who use it look better than they are: hidapi on libusb has a thread of its own for each
 * device, and listing devices walks through sysfs.
 */
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#define LONGEST 16384 /* the longest report of any deck is 8191 bytes */
#define FIELD 63      /* longest text of a listing */

struct hid_device_info { /* hidapi.h of 0.14; older ones end earlier */
    char *path;
    unsigned short vendor_id, product_id;
    wchar_t *serial_number;
    unsigned short release_number;
    wchar_t *manufacturer_string, *product_string;
    unsigned short usage_page, usage;
    int interface_number;
    struct hid_device_info *next;
    int bus_type;
};

typedef struct hid_device {
    int orders, inputs; /* connected sockets */
    int blocking;
} hid_device;

static int called(char letter) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("FAKE_HIDAPI_SOCKET");
    int door = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (path == NULL || door < 0 || strlen(path) >= sizeof address.sun_path) return -1;
    strcpy(address.sun_path, path);
    if (connect(door, (struct sockaddr *)&address, sizeof address) == 0 && send(door, &letter, 1, MSG_NOSIGNAL) == 1)
        return door;
    close(door);
    return -1;
}

/* The int32 of the answer, -1 for a lost connection; up to `room` bytes after it go to `found`. */
static int asked(int door, char letter, const unsigned char *data, size_t length, unsigned char *found, size_t room) {
    unsigned char packet[LONGEST];
    int32_t result = -1;
    if (length >= sizeof packet) return -1;
    packet[0] = (unsigned char)letter;
    if (length) memcpy(packet + 1, data, length);
    if (send(door, packet, length + 1, MSG_NOSIGNAL) < 0) return -1;
    ssize_t got = recv(door, packet, sizeof packet, 0);
    if (got < (ssize_t)sizeof result) return -1;
    memcpy(&result, packet, sizeof result);
    size_t rest = (size_t)got - sizeof result;
    if (rest && found != NULL) memcpy(found, packet + sizeof result, rest < room ? rest : room);
    return result;
}

static wchar_t *wide(const char *text) {
    wchar_t *found = calloc(strlen(text) + 1, sizeof(wchar_t));
    for (size_t i = 0; found != NULL && text[i]; i++) found[i] = (wchar_t)text[i];
    return found;
}

/* The deck's listing: the product id, and path, serial number and title with an end mark each. */
static struct hid_device_info *listing(int door) {
    char text[3 * FIELD + 1] = {0};
    int product = asked(door, 'l', NULL, 0, (unsigned char *)text, sizeof text - 1);
    struct hid_device_info *info = product > 0 ? calloc(1, sizeof *info) : NULL;
    if (info == NULL) return NULL;
    const char *serial = text + strnlen(text, FIELD) + 1, *title = serial + strnlen(serial, FIELD) + 1;
    info->path = strdup(text);
    info->serial_number = wide(serial);
    info->product_string = wide(title);
    info->manufacturer_string = wide("Elgato");
    info->vendor_id = 0x0fd9;
    info->product_id = (unsigned short)product;
    info->usage_page = 0x0c;
    info->usage = 0x01;
    info->bus_type = 1; /* USB */
    return info;
}

int hid_init(void) { return 0; }
int hid_exit(void) { return 0; }

void hid_free_enumeration(struct hid_device_info *info) {
    if (info == NULL) return;
    free(info->path);
    free(info->serial_number);
    free(info->product_string);
    free(info->manufacturer_string);
    free(info);
}

struct hid_device_info *hid_enumerate(unsigned short vendor_id, unsigned short product_id) {
    int door = called('o');
    if (door < 0) return NULL;
    struct hid_device_info *info = listing(door);
    close(door);
    if (info != NULL && ((vendor_id && vendor_id != info->vendor_id) || (product_id && product_id != info->product_id))) {
        hid_free_enumeration(info);
        return NULL;
    }
    return info;
}

hid_device *hid_open_path(const char *path) {
    hid_device *device = calloc(1, sizeof *device);
    if (device == NULL) return NULL;
    device->orders = called('o');
    device->blocking = 1;
    struct hid_device_info *info = device->orders < 0 ? NULL : listing(device->orders);
    int known = info != NULL && strcmp(info->path, path) == 0;
    hid_free_enumeration(info);
    device->inputs = known ? called('i') : -1;
    if (device->inputs >= 0) return device;
    if (device->orders >= 0) close(device->orders);
    free(device);
    return NULL;
}

void hid_close(hid_device *device) {
    if (device == NULL) return;
    close(device->inputs);
    close(device->orders);
    free(device);
}

int hid_write(hid_device *device, const unsigned char *data, size_t length) {
    return asked(device->orders, 'w', data, length, NULL, 0);
}

int hid_send_feature_report(hid_device *device, const unsigned char *data, size_t length) {
    return asked(device->orders, 'f', data, length, NULL, 0);
}

int hid_get_feature_report(hid_device *device, unsigned char *data, size_t length) {
    unsigned char question[3] = {data[0], (unsigned char)(length & 0xff), (unsigned char)(length >> 8)};
    return asked(device->orders, 'g', question, sizeof question, data, length);
}

int hid_read_timeout(hid_device *device, unsigned char *data, size_t length, int milliseconds) {
    struct pollfd waiting = {.fd = device->inputs, .events = POLLIN};
    int ready = poll(&waiting, 1, milliseconds);
    if (ready <= 0) return ready;
    ssize_t got = recv(device->inputs, data, length, 0);
    if (got <= 0) return -1; /* the deck is gone */
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); /* taken here: the answer may wait while the program's threads keep both cores busy */
    int64_t taken_ns = now.tv_sec * 1000000000LL + now.tv_nsec;
    return send(device->inputs, &taken_ns, sizeof taken_ns, MSG_NOSIGNAL) == sizeof taken_ns ? (int)got : -1;
}

int hid_read(hid_device *device, unsigned char *data, size_t length) {
    return hid_read_timeout(device, data, length, device->blocking ? -1 : 0);
}

int hid_set_nonblocking(hid_device *device, int nonblock) {
    device->blocking = !nonblock;
    return 0;
}

const wchar_t *hid_error(hid_device *device) {
    (void)device;
    return L"the simulated deck is gone";
}

const wchar_t *hid_read_error(hid_device *device) { return hid_error(device); }

/* Owned by the device in hidapi; here by nobody, once for each opening. */
struct hid_device_info *hid_get_device_info(hid_device *device) { return listing(device->orders); }

/* A process that guards its memory cannot be counted from outside. Here it may guard nothing. */
int prctl(int option, ...) {
    va_list more;
    va_start(more, option);
    unsigned long a = va_arg(more, unsigned long), b = va_arg(more, unsigned long);
    unsigned long c = va_arg(more, unsigned long), d = va_arg(more, unsigned long);
    va_end(more);
    return option == PR_SET_DUMPABLE ? 0 : (int)syscall(SYS_prctl, option, a, b, c, d);
}
