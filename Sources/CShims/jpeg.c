#include "cshims.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h> // jpeglib.h needs it and does not say so
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

// Errors

// What libjpeg's callbacks find behind cinfo->client_data.
typedef struct {
    struct jpeg_error_mgr errors;
    jmp_buf leave;
    int status; // what the call returns after `leave`
    cshim_jpeg_report *report;
} guard;

static guard *guard_of(j_common_ptr cinfo) {
    return cinfo->client_data;
}

static void keep_message(j_common_ptr cinfo) {
    char text[JMSG_LENGTH_MAX];
    cinfo->err->format_message(cinfo, text);
    cshim_jpeg_report *report = guard_of(cinfo)->report;
    snprintf(report->message, sizeof report->message, "%s", text);
}

static _Noreturn void leave(j_common_ptr cinfo, int status) {
    guard *guard = guard_of(cinfo);
    guard->status = status;
    longjmp(guard->leave, 1);
}

__attribute__((format(printf, 3, 4))) static _Noreturn void refuse(
    j_common_ptr cinfo, int status, const char *format, ...) {
    cshim_jpeg_report *report = guard_of(cinfo)->report;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(report->message, sizeof report->message, format, arguments);
    va_end(arguments);
    leave(cinfo, status);
}

static void on_error(j_common_ptr cinfo) {
    keep_message(cinfo);
    switch (cinfo->err->msg_code) {
    case JERR_NO_BACKING_STORE: // what libjpeg says at max_memory_to_use
    case JERR_OUT_OF_MEMORY: leave(cinfo, -ENOMEM);
    case JERR_BUFFER_SIZE: leave(cinfo, -ENOBUFS);
    default: leave(cinfo, -EBADMSG);
    }
}

// Many cameras leave a few bytes before the end marker of every picture they send; those are sound.
enum { stray_bytes_allowed = 256 };

static int is_damage(const struct jpeg_error_mgr *errors) {
    switch (errors->msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_JPEG_EOF: return 1;
    case JWRN_EXTRANEOUS_DATA: return errors->msg_parm.i[0] > stray_bytes_allowed;
    default: return 0;
    }
}

static void on_message(j_common_ptr cinfo, int level) {
    if (level >= 0 || !is_damage(cinfo->err)) return;
    if (guard_of(cinfo)->report->damages++ == 0) keep_message(cinfo);
}

static void print_nothing(j_common_ptr cinfo) {
    (void)cinfo;
}

static struct jpeg_error_mgr *set_up_guard(guard *guard, cshim_jpeg_report *report) {
    memset(report, 0, sizeof *report);
    guard->report = report;
    jpeg_std_error(&guard->errors);
    guard->errors.error_exit = on_error;
    guard->errors.emit_message = on_message;
    guard->errors.output_message = print_nothing;
    return &guard->errors;
}

// Reading

typedef struct {
    guard guard;
    struct jpeg_decompress_struct cinfo;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    const uint8_t *bytes;
    size_t count;
    const cshim_jpeg_request *request; // NULL: the header only
    uint8_t *pixels;
    size_t capacity;
    int keeps_coefficients; // of a JPEG in several scans, which is read to its end before the first row
    int has_all_rows;
} reader;

static reader *reader_of(j_common_ptr cinfo) {
    return cinfo->client_data; // the guard is its first member
}

static void nothing(j_decompress_ptr cinfo) {
    (void)cinfo;
}

// The end marker is often missing, which is no fault where all rows are there: a scan that is cut off is told by the
// entropy decoder. Scans missing as a whole are told here.
static boolean end_input(j_decompress_ptr cinfo) {
    static const JOCTET end_marker[] = {0xFF, JPEG_EOI};
    if (reader_of((j_common_ptr)cinfo)->keeps_coefficients) WARNMS(cinfo, JWRN_JPEG_EOF);
    cinfo->src->next_input_byte = end_marker;
    cinfo->src->bytes_in_buffer = sizeof end_marker;
    return TRUE;
}

static void skip_input(j_decompress_ptr cinfo, long count) {
    struct jpeg_source_mgr *source = cinfo->src;
    if (count <= 0) return;
    if ((size_t)count >= source->bytes_in_buffer) {
        end_input(cinfo);
    } else {
        source->next_input_byte += count;
        source->bytes_in_buffer -= (size_t)count;
    }
}

// A scan costs a pass over the whole picture and can be a few bytes long.
static void count_scans(j_common_ptr common) {
    reader *reader = reader_of(common);
    int limit = reader->request->scan_limit;
    if (reader->cinfo.input_scan_number > limit) refuse(common, -E2BIG, "more than %d scans", limit);
}

static void open_reader(reader *reader) {
    j_decompress_ptr cinfo = &reader->cinfo;
    cinfo->client_data = reader;
    jpeg_create_decompress(cinfo);
    reader->source = (struct jpeg_source_mgr){
        .next_input_byte = reader->bytes,
        .bytes_in_buffer = reader->count,
        .init_source = nothing,
        .fill_input_buffer = end_input,
        .skip_input_data = skip_input,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = nothing,
    };
    cinfo->src = &reader->source;
    jpeg_read_header(cinfo, TRUE);
    // No camera and no program of note writes it, and a header that claims it by mistake decodes to garbage.
    if (cinfo->arith_code) refuse((j_common_ptr)cinfo, -EBADMSG, "arithmetic coding is not supported");
    int components = cinfo->num_components;
    if (components != 1 && components != 3 && components != 4) {
        refuse((j_common_ptr)cinfo, -EBADMSG, "%d colour components are not supported", components);
    }
    reader->keeps_coefficients = jpeg_has_multiple_scans(cinfo);
}

static int read_header(reader *reader, cshim_jpeg_header *header) {
    if (setjmp(reader->guard.leave) != 0) return reader->guard.status;
    open_reader(reader);
    j_decompress_ptr cinfo = &reader->cinfo;
    *header = (cshim_jpeg_header){
        .width = (int32_t)cinfo->image_width,
        .height = (int32_t)cinfo->image_height,
        .components = cinfo->num_components,
        .in_scans = reader->keeps_coefficients,
        .is_progressive = cinfo->progressive_mode,
    };
    for (int i = 0; i < cinfo->num_components; i++) {
        const jpeg_component_info *component = &cinfo->comp_info[i];
        header->blocks += (int64_t)component->width_in_blocks * component->height_in_blocks;
    }
    return 0;
}

static uint8_t product_255(int a, int b) { // a * b / 255, rounded
    int product = a * b + 128;
    return (uint8_t)(((product >> 8) + product) >> 8);
}

// One row of C, M, Y, K to R, G, B or luma, without a colour profile.
static void convert_cmyk(const uint8_t *cmyk, uint8_t *pixels, int width, int channels, int is_inverted) {
    int flip = is_inverted ? 0 : 255; // Adobe stores 255 for no ink
    for (int x = 0; x < width; x++, cmyk += 4, pixels += channels) {
        int white = cmyk[3] ^ flip;
        uint8_t red = product_255(cmyk[0] ^ flip, white);
        uint8_t green = product_255(cmyk[1] ^ flip, white);
        uint8_t blue = product_255(cmyk[2] ^ flip, white);
        if (channels == 3) {
            pixels[0] = red, pixels[1] = green, pixels[2] = blue;
        } else { // BT.601, as libjpeg does for the other colour spaces
            pixels[0] = (uint8_t)((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16);
        }
    }
}

static void read_rows(reader *reader) {
    j_decompress_ptr cinfo = &reader->cinfo;
    int channels = reader->request->channels;
    size_t row_bytes = (size_t)cinfo->output_width * (size_t)channels;
    int is_cmyk = cinfo->out_color_space == JCS_CMYK;
    JSAMPARRAY cmyk = NULL;
    if (is_cmyk) {
        cmyk = cinfo->mem->alloc_sarray((j_common_ptr)cinfo, JPOOL_IMAGE, cinfo->output_width * 4, 1);
    }
    while (cinfo->output_scanline < cinfo->output_height) {
        JSAMPROW row = reader->pixels + cinfo->output_scanline * row_bytes;
        if (is_cmyk) {
            jpeg_read_scanlines(cinfo, cmyk, 1);
            convert_cmyk(cmyk[0], row, (int)cinfo->output_width, channels, cinfo->saw_Adobe_marker);
        } else {
            jpeg_read_scanlines(cinfo, &row, 1);
        }
    }
}

static int decode(reader *reader) {
    if (setjmp(reader->guard.leave) != 0) {
        // What follows the last row says whether the rows are sound, and no more.
        return reader->has_all_rows ? 0 : reader->guard.status;
    }
    open_reader(reader);
    j_decompress_ptr cinfo = &reader->cinfo;
    cinfo->mem->max_memory_to_use = (long)reader->request->memory_limit;
    reader->progress.progress_monitor = count_scans;
    cinfo->progress = &reader->progress;
    cinfo->scale_num = 1;
    cinfo->scale_denom = (unsigned)reader->request->scale;
    if (cinfo->num_components == 4) {
        cinfo->out_color_space = JCS_CMYK; // libjpeg makes it of YCCK and goes no further
    } else {
        cinfo->out_color_space = reader->request->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    }
    jpeg_calc_output_dimensions(cinfo);
    size_t pixels = (size_t)cinfo->output_width * cinfo->output_height;
    if (pixels * (size_t)reader->request->channels != reader->capacity) return -EINVAL;
    jpeg_start_decompress(cinfo);
    read_rows(reader);
    reader->has_all_rows = 1;
    jpeg_finish_decompress(cinfo);
    return 0;
}

int cshim_jpeg_read_header(
    const uint8_t *bytes, size_t count, cshim_jpeg_header *header, cshim_jpeg_report *report) {
    reader reader = {.bytes = bytes, .count = count};
    reader.cinfo.err = set_up_guard(&reader.guard, report);
    int status = read_header(&reader, header);
    jpeg_destroy_decompress(&reader.cinfo);
    return status;
}

int cshim_jpeg_decode(
    const uint8_t *bytes, size_t count, const cshim_jpeg_request *request, uint8_t *pixels, size_t capacity,
    cshim_jpeg_report *report) {
    reader reader = {.bytes = bytes, .count = count, .request = request, .pixels = pixels, .capacity = capacity};
    reader.cinfo.err = set_up_guard(&reader.guard, report);
    int status = decode(&reader);
    jpeg_destroy_decompress(&reader.cinfo);
    return status;
}

// Writing

typedef struct {
    guard guard;
    struct jpeg_compress_struct cinfo;
    struct jpeg_destination_mgr destination;
} writer;

static void begin_output(j_compress_ptr cinfo) {
    (void)cinfo;
}

static boolean refuse_output(j_compress_ptr cinfo) {
    ERREXIT(cinfo, JERR_BUFFER_SIZE);
    return FALSE;
}

static int64_t encode(
    writer *writer, const uint8_t *pixels, int32_t width, int32_t height, int32_t channels, int32_t quality) {
    if (setjmp(writer->guard.leave) != 0) return writer->guard.status;
    j_compress_ptr cinfo = &writer->cinfo;
    cinfo->client_data = writer;
    size_t capacity = writer->destination.free_in_buffer;
    jpeg_create_compress(cinfo);
    cinfo->dest = &writer->destination;
    cinfo->image_width = (JDIMENSION)width;
    cinfo->image_height = (JDIMENSION)height;
    cinfo->input_components = channels;
    cinfo->in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(cinfo);
    jpeg_set_quality(cinfo, quality, TRUE);
    jpeg_start_compress(cinfo, TRUE);
    while (cinfo->next_scanline < cinfo->image_height) {
        // libjpeg asks for rows it could change and does not change them.
        JSAMPROW row = (JSAMPROW)pixels + (size_t)cinfo->next_scanline * (size_t)width * (size_t)channels;
        jpeg_write_scanlines(cinfo, &row, 1);
    }
    jpeg_finish_compress(cinfo);
    return (int64_t)(capacity - writer->destination.free_in_buffer);
}

int64_t cshim_jpeg_encode(
    const uint8_t *pixels, int32_t width, int32_t height, int32_t channels, int32_t quality, uint8_t *bytes,
    size_t capacity, cshim_jpeg_report *report) {
    writer writer = {
        .destination = {
            .next_output_byte = bytes,
            .free_in_buffer = capacity,
            .init_destination = begin_output,
            .empty_output_buffer = refuse_output,
            .term_destination = begin_output,
        },
    };
    writer.cinfo.err = set_up_guard(&writer.guard, report);
    int64_t status = encode(&writer, pixels, width, height, channels, quality);
    jpeg_destroy_compress(&writer.cinfo);
    return status;
}
