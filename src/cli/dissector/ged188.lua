local ged188 = Proto("ged188", "GED-188 CTI Server Protocol")

local HEADER_BYTES = 8
local BODY_BYTES_MAX = 12492
local OPEN_REQ = 3

-- Fields --------------------------------------------------------------------------------------------------------------

local numbers = {
  UCHAR = ProtoField.uint8,
  USHORT = ProtoField.uint16,
  UINT = ProtoField.uint32,
  INT = ProtoField.int32,
  BOOL = ProtoField.uint16,
  TIME = ProtoField.uint32,
}
local texts = { STRING = true, NAMEDVAR = true, NAMEDARRAY = true }

local fields = {}
for at, row in ipairs(rows) do
  local filter, name, kind, values = "ged188." .. row.filter, row.name, row.kind, row.values and names[row.values]
  if texts[kind] then
    fields[at] = ProtoField.string(filter, name)
  elseif numbers[kind] and row.mask then
    fields[at] = numbers[kind](filter, name, base.HEX)
  elseif numbers[kind] then
    fields[at] = numbers[kind](filter, name, base.DEC, values)
  else
    fields[at] = ProtoField.bytes(filter, name)
  end
end

local type_names = {}
for number, name in pairs(named) do type_names[number] = name end
for number, message in pairs(messages) do type_names[number] = message.name end

local head = {
  length = ProtoField.uint32("ged188.message_length", "MessageLength"),
  type = ProtoField.uint32("ged188.message_type", "MessageType", base.DEC, type_names),
  version = ProtoField.uint32("ged188.version", "Protocol version"),
  response_in = ProtoField.framenum("ged188.response_in", "Response in", base.NONE, frametype.RESPONSE),
  response_to = ProtoField.framenum("ged188.response_to", "Response to", base.NONE, frametype.REQUEST),
  response_time = ProtoField.relative_time("ged188.response_time", "Response time"),
  body = ProtoField.bytes("ged188.body", "Body"),
  unknown_tag = ProtoField.uint16("ged188.unknown.tag", "Unknown tag", base.DEC, tags),
  unknown_data = ProtoField.bytes("ged188.unknown.data", "Data"),
}

local all = {}
for _, field in pairs(head) do all[#all + 1] = field end
for _, field in ipairs(fields) do all[#all + 1] = field end
ged188.fields = all

local malformed = ProtoExpert.new("ged188.malformed", "Malformed", expert.group.MALFORMED, expert.severity.ERROR)
local undecoded = ProtoExpert.new("ged188.undecoded", "Not decoded", expert.group.UNDECODED, expert.severity.NOTE)
ged188.experts = { malformed, undecoded }

-- What one session says of the next frames ----------------------------------------------------------------------------

local stream_of = Field.new("tcp.stream")
local versions, requests, response_to, response_in = {}, {}, {}, {}

function ged188.init()
  versions, requests, response_to, response_in = {}, {}, {}, {}
end

ged188.prefs.ports = Pref.range("TCP ports", "42027,43027", "The ports of CTI servers", 65535)
ged188.prefs.version = Pref.uint("Default version", 24, "For connections whose OPEN_REQ was not captured")
ged188.prefs.uccx = Pref.bool("Contact Center Express", false, "Read versions 10 to 18 as UCCX writes them")

-- How many bytes a tag and a length have.
local function widths(version)
  if ged188.prefs.uccx then
    if version >= 18 then return 2, 1 end
    return 1, 1
  end
  if version >= 20 then return 2, 2 end
  return 1, 1
end

-- Values --------------------------------------------------------------------------------------------------------------

local function until_nul(range)
  local text = range:raw()
  local nul = text:find("\0", 1, true)
  return nul and text:sub(1, nul - 1) or text
end

-- name NUL value NUL
local function name_and_value(text)
  local name, rest = text:match("^([^%z]*)%z(.*)$")
  if not name then return text end
  return name .. "=" .. (rest:match("^([^%z]*)") or "")
end

local function bits(value, values)
  local set = {}
  for bit, name in pairs(values) do
    if bit > 0 and math.floor(value / bit) % 2 == 1 then set[#set + 1] = { bit, name } end
  end
  table.sort(set, function(one, other) return one[1] < other[1] end)
  for at, row in ipairs(set) do set[at] = row[2] end
  return table.concat(set, " | ")
end

local function add(tree, row_at, range)
  local row, field = rows[row_at], fields[row_at]
  if range:len() == 0 then
    if texts[row.kind] then return tree:add(field, range, "") end
    return tree:add(field, range)
  end
  if row.secret then return tree:add(field, range, until_nul(range) == "" and "" or "***") end
  if row.kind == "STRING" then return tree:add(field, range, until_nul(range)) end
  if row.kind == "NAMEDVAR" then return tree:add(field, range, name_and_value(range:raw())) end
  if row.kind == "NAMEDARRAY" then
    local text = name_and_value(range:len() > 1 and range(1):raw() or "")
    local name, value = text:match("^(.-)=(.*)$")
    return tree:add(field, range, string.format("%s[%d]=%s", name or text, range(0, 1):uint(), value or ""))
  end
  local item = tree:add(field, range)
  if row.kind == "TIME" then item:append_text(" (" .. os.date("!%Y-%m-%d %H:%M:%S", range:uint()) .. " UTC)") end
  if row.mask and names[row.values] then item:append_text(" " .. bits(range:uint(), names[row.values])) end
  return item
end

-- A number has its own width; the data of anything else is as long as it says.
local function fits(row_at, length)
  local bytes = rows[row_at].bytes
  if not numbers[rows[row_at].kind] then return true end
  return length == bytes
end

-- One frame -----------------------------------------------------------------------------------------------------------

local function floating(tvb, at, message, version, tree)
  local tag_bytes, length_bytes = widths(version)
  while at < tvb:len() do
    if at + tag_bytes + length_bytes > tvb:len() then
      tree:add_tvb_expert_info(malformed, tvb(at), "a floating field's tag or length is cut off")
      return
    end
    local tag = tvb(at, tag_bytes):uint()
    local length = tvb(at + tag_bytes, length_bytes):uint()
    local from = at + tag_bytes + length_bytes
    if from + length > tvb:len() then
      local what = string.format("tag %d claims %d bytes, %d are left", tag, length, tvb:len() - from)
      tree:add_tvb_expert_info(malformed, tvb(at), what)
      return
    end
    local known = message.floating[tag]
    local range = tvb:range(from, length)
    if known and known.since <= version and fits(known.row, length) then
      add(tree, known.row, range)
    elseif known and known.since <= version then
      local name = rows[known.row].name
      tree:add_tvb_expert_info(malformed, tvb(at), string.format("%s has %d bytes", name, length))
    else
      local item = tree:add(head.unknown_tag, tvb(at, tag_bytes))
      if length > 0 then item:add(head.unknown_data, range) end
      item:add_proto_expert_info(undecoded, "not a field of " .. message.name)
    end
    at = from + length
  end
end

local function match(message, stream, invoke_id, pinfo, tree)
  local key = stream .. ":" .. invoke_id
  local here = pinfo.number .. ":" .. key
  if message.sent_by == "client" then
    if not pinfo.visited then requests[key] = { number = pinfo.number, time = pinfo.abs_ts } end
    if response_in[here] then tree:add(head.response_in, response_in[here]):set_generated() end
  elseif message.sent_by == "server" then
    if not pinfo.visited and requests[key] then
      response_to[here] = requests[key]
      response_in[requests[key].number .. ":" .. key] = pinfo.number
      requests[key] = nil
    end
    local request = response_to[here]
    if request then
      tree:add(head.response_to, request.number):set_generated()
      local time = math.max(0, pinfo.abs_ts - request.time)
      local seconds = math.floor(time)
      local nanos = math.floor((time - seconds) * 1000000000)
      tree:add(head.response_time, NSTime.new(seconds, nanos)):set_generated()
    end
  end
end

local function dissect_frame(tvb, pinfo, root)
  local length, number = tvb(0, 4):uint(), tvb(4, 4):uint()
  local name = type_names[number] or ("message type " .. number)
  local tree = root:add(ged188, tvb(), "GED-188 " .. name)
  tree:add(head.length, tvb(0, 4))
  tree:add(head.type, tvb(4, 4))
  pinfo.cols.protocol = "GED-188"
  pinfo.cols.info:append(" " .. name)
  if length ~= tvb:len() - HEADER_BYTES then
    tree:add_tvb_expert_info(malformed, tvb(0, 4), string.format("MessageLength %d cannot be", length))
    return tvb:len()
  end
  local stream_info = stream_of()
  local stream = stream_info and stream_info.value or -1
  if number == OPEN_REQ and length >= 8 then versions[stream] = tvb(12, 4):uint() end
  local version = versions[stream] or ged188.prefs.version
  tree:add(head.version, version):set_generated()
  local message = messages[number]
  if not message then
    if length > 0 then tree:add(head.body, tvb(HEADER_BYTES)) end
    tree:add_proto_expert_info(undecoded, "the layout of " .. name .. " is not known")
    return tvb:len()
  end
  local at = HEADER_BYTES
  for _, part in ipairs(message.fixed) do
    if part.since <= version then
      local bytes = rows[part.row].bytes
      if at + bytes > tvb:len() then
        local what = rows[part.row].name .. " is cut off"
        tree:add_tvb_expert_info(malformed, tvb(0, HEADER_BYTES), what)
        return tvb:len()
      end
      add(tree, part.row, tvb(at, bytes))
      if rows[part.row].name == "InvokeID" then match(message, stream, tvb(at, 4):uint(), pinfo, tree) end
      at = at + bytes
    end
  end
  floating(tvb, at, message, version, tree)
  return tvb:len()
end

local function frame_bytes(tvb, _, offset)
  local length = tvb(offset, 4):uint()
  -- Where the next frame begins is not known any more: the rest is one.
  if length > BODY_BYTES_MAX then return tvb:len() - offset end
  return HEADER_BYTES + length
end

function ged188.dissector(tvb, pinfo, root)
  dissect_tcp_pdus(tvb, root, HEADER_BYTES, frame_bytes, dissect_frame)
  return tvb:len()
end

-- Who speaks it -------------------------------------------------------------------------------------------------------

local tcp_ports = DissectorTable.get("tcp.port")
local registered = nil

function ged188.prefs_changed()
  if registered and registered ~= ged188.prefs.ports then tcp_ports:remove(registered, ged188) end
  if registered ~= ged188.prefs.ports then
    registered = ged188.prefs.ports
    tcp_ports:add(registered, ged188)
  end
end
tcp_ports:add(ged188.prefs.ports, ged188)
registered = ged188.prefs.ports

-- On other ports: a connection that begins with an OPEN_REQ.
ged188:register_heuristic("tcp", function(tvb, pinfo, root)
  if tvb:len() < 16 or tvb(4, 4):uint() ~= OPEN_REQ or tvb(0, 4):uint() > BODY_BYTES_MAX then return false end
  local version = tvb(12, 4):uint()
  if version < 5 or version > 40 then return false end
  pinfo.conversation = ged188
  ged188.dissector(tvb, pinfo, root)
  return true
end)
