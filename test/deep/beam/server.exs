# The server under test, as a client of its text protocol and of HTTP sees it.

defmodule Beam.Server do
  defstruct [:socket, :host, :http_port]

  # Longer than any reply takes on a busy machine.
  @timeout 30_000

  def connect(options) do
    host = String.to_charlist(options.host)
    opts = [:binary, active: false, packet: :line, buffer: 65_536, nodelay: true]
    {:ok, socket} = :gen_tcp.connect(host, options.tcp_port, opts, @timeout)
    %__MODULE__{socket: socket, host: host, http_port: options.http_port}
  end

  def close(server), do: :gen_tcp.close(server.socket)

  # Sends commands together, in one write.
  def send_commands(server, commands) do
    :ok = :gen_tcp.send(server.socket, Enum.map(commands, &[line(&1), "\n"]))
  end

  def line({:create, name}), do: "CREATE #{name}"
  def line({:create_temporary, name}), do: "PUT /v1/buckets/#{name} {\"restart\":\"temporary\"}"
  def line({:put, name, key, value}), do: "PUT #{name} #{key} #{quoted(value)}"
  def line({:get, name, key}), do: "GET #{name} #{key}"
  def line({:delete, name, key}), do: "DELETE #{name} #{key}"
  def line({:lookup, name}), do: "LOOKUP #{name}"
  def line({:stop, name}), do: "STOP #{name}"
  def line({:exit, name, reason}), do: "EXIT #{name} #{quoted(reason)}"
  def line({:monitor, name}), do: "MONITOR #{name}"

  # The reply to the oldest command without one. @returns {reply, signals that came before its end}
  def read_reply(server, command) do
    {first, signals} = read_line(server, [])

    case {elem(command, 0), first} do
      {_, "NOT FOUND"} -> {:not_found, signals}
      {_, "ERROR " <> _} -> {{:error, first}, signals}
      {:get, value} -> read_ok(server, {:value, unquoted(value)}, signals)
      {:lookup, id} -> read_ok(server, {:id, id}, signals)
      {_, "OK"} -> {:ok, signals}
      {_, _} -> {{:unexpected, first}, signals}
    end
  end

  # Signals that have arrived, after at most this long.
  def signals(server, timeout) do
    case :gen_tcp.recv(server.socket, 0, timeout) do
      {:ok, text} -> [signal!(trim(text)) | signals(server, 1)]
      {:error, :timeout} -> []
      {:error, reason} -> raise "the connection broke: #{inspect(reason)}"
    end
  end

  # Creates a temporary bucket, which only HTTP can.
  def create_temporary(server, name) do
    body = ~s({"restart":"temporary"})

    request =
      "PUT /v1/buckets/#{name} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" <>
        "Content-Type: application/json\r\nContent-Length: #{byte_size(body)}\r\n\r\n#{body}"

    {:ok, socket} = :gen_tcp.connect(server.host, server.http_port, [:binary, active: false], @timeout)
    :ok = :gen_tcp.send(socket, request)
    answer = read_all(socket, "")
    :gen_tcp.close(socket)

    case answer do
      "HTTP/1.1 201 " <> _ -> :created
      "HTTP/1.1 200 " <> _ -> :existing
      "HTTP/1.1 409 " <> _ -> :differs
      other -> {:unexpected, other}
    end
  end

  defp read_all(socket, text) do
    case :gen_tcp.recv(socket, 0, @timeout) do
      {:ok, more} -> read_all(socket, text <> more)
      {:error, :closed} -> text
    end
  end

  defp read_ok(server, reply, signals) do
    case read_line(server, signals) do
      {"OK", signals} -> {reply, signals}
      {other, signals} -> {{:unexpected, other}, signals}
    end
  end

  # Lines of monitors come between any two others. No value that this driver puts begins like one.
  defp read_line(server, signals) do
    case :gen_tcp.recv(server.socket, 0, @timeout) do
      {:ok, text} ->
        case {trim(text), signal(trim(text))} do
          {line, nil} -> {line, signals}
          {_, signal} -> read_line(server, signals ++ [signal])
        end

      {:error, reason} ->
        raise "no reply: #{inspect(reason)}"
    end
  end

  defp trim(text), do: String.replace_suffix(text, "\r\n", "")

  defp signal!(line), do: signal(line) || raise("neither a reply nor a signal: #{inspect(line)}")

  defp signal(line) do
    case String.split(line, " ", parts: 3) do
      [kind, name, reason] when kind in ["DOWN", "RESTARTED"] -> {kind, name, unquoted(reason)}
      _ -> nil
    end
  end

  # A word, in quotes if it needs them; see "Quoting" in docs/protocol.md.
  defp quoted(text) do
    cond do
      not String.valid?(text) -> "base64:\"#{Base.encode64(text)}\""
      text =~ ~r/^[a-z0-9.-]+$/ -> text
      true -> "\"#{for <<char::utf8 <- text>>, into: "", do: escaped(char)}\""
    end
  end

  defp escaped(char) when char in [?", ?\\], do: <<?\\, char>>
  defp escaped(char) when char < 32, do: "\\u" <> String.pad_leading(Integer.to_string(char, 16), 4, "0")
  defp escaped(char), do: <<char::utf8>>

  defp unquoted("base64:\"" <> rest), do: Base.decode64!(String.trim_trailing(rest, "\""))
  defp unquoted("\"" <> rest), do: unescaped(rest, "")
  defp unquoted(text), do: text

  defp unescaped("\"", text), do: text
  defp unescaped("\\n" <> rest, text), do: unescaped(rest, text <> "\n")
  defp unescaped("\\t" <> rest, text), do: unescaped(rest, text <> "\t")
  defp unescaped("\\r" <> rest, text), do: unescaped(rest, text <> "\r")
  defp unescaped("\\b" <> rest, text), do: unescaped(rest, text <> "\b")
  defp unescaped("\\f" <> rest, text), do: unescaped(rest, text <> "\f")

  defp unescaped("\\u" <> <<hex::binary-size(4), rest::binary>>, text),
    do: unescaped(rest, text <> <<String.to_integer(hex, 16)::utf8>>)

  defp unescaped(<<?\\, char, rest::binary>>, text), do: unescaped(rest, <<text::binary, char>>)
  defp unescaped(<<char, rest::binary>>, text), do: unescaped(rest, <<text::binary, char>>)
end
