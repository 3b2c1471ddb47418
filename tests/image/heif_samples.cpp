// samples.h: HEIC and AVIF, by libheif and its encoders. Their failures end the test program: the input is
// our own.
#include <libheif/heif.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "image/samples.h"

// The encoder of Debian 12's libx265 keeps some of its memory, which is not what these tests look for.
extern "C" const char* __lsan_default_suppressions() { return "leak:x265_malloc"; }

namespace mobilenet::samples {
namespace {

void Require(const heif_error& error) {
  if (error.code == heif_error_Ok) return;
  std::fprintf(stderr, "libheif: %s\n", error.message);
  std::abort();
}

heif_compression_format FormatOf(HeifCodec codec) {
  return codec == HeifCodec::kHevc ? heif_compression_HEVC : heif_compression_AV1;
}

// The plane of one channel of `pixels`, 8 bits in, `bits` out.
void AddPlane(heif_image* image, heif_channel channel, int width, int height, const Bytes& pixels,
              int channels, int c, int bits) {
  Require(heif_image_add_plane(image, channel, width, height, bits));
  int stride = 0;
  std::uint8_t* plane = heif_image_get_plane(image, channel, &stride);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int value = pixels[(static_cast<std::size_t>(y) * width + x) * channels + c];
      const int wide = (value * ((1 << bits) - 1) + 127) / 255;
      if (bits == 8) {
        plane[y * stride + x] = static_cast<std::uint8_t>(value);
      } else {
        plane[y * stride + 2 * x] = static_cast<std::uint8_t>(wide);
        plane[y * stride + 2 * x + 1] = static_cast<std::uint8_t>(wide >> 8);
      }
    }
  }
}

heif_image* MakePicture(int width, int height, const Bytes& pixels, const HeifOptions& options) {
  const int channels = static_cast<int>(pixels.size() / (static_cast<std::size_t>(width) * height));
  heif_image* image = nullptr;
  if (options.grey) {
    Require(heif_image_create(width, height, heif_colorspace_monochrome, heif_chroma_monochrome, &image));
    AddPlane(image, heif_channel_Y, width, height, pixels, channels, 0, options.bits);
    return image;
  }
  Require(heif_image_create(width, height, heif_colorspace_RGB, heif_chroma_444, &image));
  constexpr heif_channel kChannels[] = {heif_channel_R, heif_channel_G, heif_channel_B, heif_channel_Alpha};
  for (int c = 0; c < channels; ++c)
    AddPlane(image, kChannels[c], width, height, pixels, channels, c, options.bits);
  if (options.premultiplied) heif_image_set_premultiplied_alpha(image, 1);
  return image;
}

heif_error WriteTo(heif_context* /*context*/, const void* data, size_t size, void* to) {
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  static_cast<Bytes*>(to)->insert(static_cast<Bytes*>(to)->end(), bytes, bytes + size);
  return {heif_error_Ok, heif_suberror_Unspecified, ""};
}

// --- boxes ---

void Append32Big(Bytes& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}
void Append16Big(Bytes& bytes, std::uint32_t value) {
  for (int shift = 8; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

Bytes Box(std::string_view name, const Bytes& content) {
  Bytes box;
  Append32Big(box, static_cast<std::uint32_t>(content.size() + 8));
  Append(box, name);
  Append(box, content);
  return box;
}

// Where in `file` a box of this name begins; it must be there once.
std::size_t Find(const Bytes& file, std::string_view name) {
  const auto at = std::search(file.begin(), file.end(), name.begin(), name.end());
  if (at == file.end()) std::abort();
  return static_cast<std::size_t>(at - file.begin()) - 4;
}

std::uint32_t Read32Big(const Bytes& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | bytes[at + i];
  return value;
}

Bytes BoxOf(const Bytes& file, std::string_view name) {
  const auto begin = file.begin() + static_cast<std::ptrdiff_t>(Find(file, name));
  return {begin, begin + Read32Big(file, Find(file, name))};
}

Bytes Item(std::uint32_t id, std::string_view type) {
  Bytes content = {2, 0, 0, 0};
  Append16Big(content, id);
  Append16Big(content, 0);
  Append(content, type);
  content.push_back(0);
  return Box("infe", content);
}

// The first item is the grid, those behind it its tiles.
Bytes Locations(std::size_t tiles, const std::vector<Bytes>& data, std::uint32_t begin) {
  Bytes content = {1, 0, 0, 0, 0x44, 0};
  Append16Big(content, static_cast<std::uint32_t>(tiles + 1));
  std::uint32_t offset = begin;
  for (std::size_t i = 0; i <= tiles; ++i) {
    const std::uint32_t length = i == 0 ? 8 : static_cast<std::uint32_t>(data[i - 1].size());
    Append16Big(content, static_cast<std::uint32_t>(i + 1));
    Append16Big(content, i == 0 ? 1 : 0);  // in idat or in the file
    Append16Big(content, 0);
    Append16Big(content, 1);
    Append32Big(content, i == 0 ? 0 : offset);
    Append32Big(content, length);
    if (i > 0) offset += length;
  }
  return Box("iloc", content);
}

Bytes Extents(int width, int height) {
  Bytes content(4);
  Append32Big(content, static_cast<std::uint32_t>(width));
  Append32Big(content, static_cast<std::uint32_t>(height));
  return Box("ispe", content);
}

Bytes Properties(int width, int height, const std::vector<Bytes>& tiles, int side) {
  Bytes container = Extents(width, height);
  Append(container, Extents(side, side));
  Append(container, BoxOf(tiles.front(), "colr"));
  for (const Bytes& tile : tiles) Append(container, BoxOf(tile, "hvcC"));
  Bytes use(4);
  Append32Big(use, static_cast<std::uint32_t>(tiles.size() + 1));
  Append(use, Bytes{0, 1, 1, 0x81});
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    Append16Big(use, static_cast<std::uint32_t>(i + 2));
    Append(use, Bytes{3, 0x82, 3, static_cast<std::uint8_t>(0x84 + i)});
  }
  Bytes content = Box("ipco", container);
  Append(content, Box("ipma", use));
  return Box("iprp", content);
}

}  // namespace

bool CanEncodeHeif(HeifCodec codec) { return heif_have_encoder_for_format(FormatOf(codec)) != 0; }

Bytes Heif(int width, int height, const Bytes& pixels, const HeifOptions& options) {
  heif_context* context = heif_context_alloc();
  heif_encoder* encoder = nullptr;
  Require(heif_context_get_encoder_for_format(context, FormatOf(options.codec), &encoder));
  heif_encoder_set_lossless(encoder, 1);
  heif_encoder_set_logging_level(encoder, 0);
  heif_image* image = MakePicture(width, height, pixels, options);
  heif_encoding_options* how = heif_encoding_options_alloc();
  how->macOS_compatibility_workaround = options.grid ? 1 : 0;
  how->macOS_compatibility_workaround_no_nclx_profile = 0;
  how->image_orientation = static_cast<heif_orientation>(options.orientation);
  heif_color_profile_nclx* colours = heif_nclx_color_profile_alloc();
  // RGB as it is, so that nothing is lost.
  if (!options.grey) colours->matrix_coefficients = heif_matrix_coefficients_RGB_GBR;
  how->output_nclx_profile = colours;
  heif_encoder_set_parameter(encoder, "chroma", options.grey ? "420" : "444");
  heif_image_handle* handle = nullptr;
  Require(heif_context_encode_image(context, image, encoder, how, &handle));
  if (!options.exif.empty())
    Require(heif_context_add_exif_metadata(context, handle, options.exif.data(),
                                           static_cast<int>(options.exif.size())));
  Bytes bytes;
  heif_writer writer = {1, WriteTo};
  Require(heif_context_write(context, &writer, &bytes));
  heif_nclx_color_profile_free(colours);
  heif_image_handle_release(handle);
  heif_encoding_options_free(how);
  heif_image_release(image);
  heif_encoder_release(encoder);
  heif_context_free(context);
  return bytes;
}

// ISO/IEC 23008-12, 6.6.2.3.
Bytes HeifGrid(int width, int height, int columns, int rows, const std::vector<Bytes>& tiles, int tile_side) {
  std::vector<Bytes> data;
  for (const Bytes& tile : tiles) {
    const Bytes box = BoxOf(tile, "mdat");
    data.emplace_back(box.begin() + 8, box.end());
  }
  Bytes grid = {0, 0, static_cast<std::uint8_t>(rows - 1), static_cast<std::uint8_t>(columns - 1)};
  Append16Big(grid, static_cast<std::uint32_t>(width));
  Append16Big(grid, static_cast<std::uint32_t>(height));

  Bytes items(4);
  Append16Big(items, static_cast<std::uint32_t>(tiles.size() + 1));
  Append(items, Item(1, "grid"));
  for (std::size_t i = 0; i < tiles.size(); ++i)
    Append(items, Item(static_cast<std::uint32_t>(i + 2), "hvc1"));
  Bytes references;
  Append16Big(references, 1);
  const auto places = static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows);
  Append16Big(references, static_cast<std::uint32_t>(places));
  for (std::size_t i = 0; i < places; ++i)
    Append16Big(references, static_cast<std::uint32_t>(i % tiles.size() + 2));
  Bytes derived(4);
  Append(derived, Box("dimg", references));

  const Bytes type = Box("ftyp", {'h', 'e', 'i', 'c', 0, 0, 0, 0, 'm', 'i', 'f', '1', 'h', 'e', 'i', 'c'});
  const auto meta = [&](std::uint32_t begin) {
    Bytes content(4);
    Append(content,
           Box("hdlr", {0, 0, 0, 0, 0, 0, 0, 0, 'p', 'i', 'c', 't', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
    Append(content, Box("pitm", {0, 0, 0, 0, 0, 1}));
    Append(content, Box("iinf", items));
    Append(content, Box("iref", derived));
    Append(content, Properties(width, height, tiles, tile_side));
    Append(content, Box("idat", grid));
    Append(content, Locations(tiles.size(), data, begin));
    return Box("meta", content);
  };
  Bytes file = type;
  Append(file, meta(static_cast<std::uint32_t>(type.size() + meta(0).size() + 8)));
  Bytes all;
  for (const Bytes& part : data) Append(all, part);
  Append(file, Box("mdat", all));
  return file;
}

}  // namespace mobilenet::samples
