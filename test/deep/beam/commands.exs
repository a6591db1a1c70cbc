# Random commands, and what the driver may send without being refused.

defmodule Beam.Commands do
  @keys ~w(milk eggs bread tea)
  @shared_keys ~w(a b)
  # What the protocol has to quote, and what it must not change.
  @words [
    "1",
    "",
    "two words",
    "caf\u00E9 \u6F22",
    "a\"b\\c",
    "tab\tand\nline",
    "OK",
    "base64:\"/w==\"",
    <<255, 0, 1>>
  ]
  @reasons ["kill", "normal", "shutdown", "boom", "out of stock", "\u00E9 \"quoted\"", "two\nlines", "5"]

  # A command on a name of this process alone. @param kind of the bucket that has the name now, or nil
  def private(name, kind) do
    key = Enum.random(@keys)

    case :rand.uniform(200) do
      n when kind == nil and rem(n, 10) < 6 -> Enum.random([{:create, name}, {:create_temporary, name}])
      n when n <= 66 -> {:put, name, key, value()}
      n when n <= 144 -> {:get, name, key}
      n when n <= 160 -> {:delete, name, key}
      n when n <= 168 -> {:lookup, name}
      n when n <= 171 -> {:create, name}
      n when n <= 173 -> {:create_temporary, name}
      n when n <= 178 -> {:stop, name}
      n when n <= 188 -> exit(name, kind, Enum.random(@reasons))
      _ -> {:monitor, name}
    end
  end

  # A command on a name of all. Values are unique, and so are most reasons: `unique` is different each time.
  def shared(name, kind, unique) do
    key = Enum.random(@shared_keys)

    case :rand.uniform(100) do
      n when n <= 30 -> {:put, name, key, "v#{unique}"}
      n when n <= 70 -> {:get, name, key}
      n when n <= 76 -> {:delete, name, key}
      n when n <= 80 -> {:lookup, name}
      n when n <= 82 -> {:stop, name}
      n when n <= 85 -> exit(name, kind, Enum.random(["kill", "normal" | List.duplicate("boom #{unique}", 4)]))
      n when n <= 92 -> {:monitor, name}
      _ when kind == :temporary -> {:create_temporary, name}
      _ -> {:create, name}
    end
  end

  defp value do
    if :rand.uniform(3) == 1, do: Enum.random(@words), else: "v#{:rand.uniform(1_000_000)}"
  end

  defp exit(name, kind, reason) do
    if kind != :permanent or reason == "normal" or Beam.RestartGate.pass(name),
      do: {:exit, name, reason},
      else: {:get, name, hd(@keys)}
  end
end

# Keeps the restarts of a permanent bucket below the restart intensity: with more than 3 in 5 seconds it is given up for a
# while. An agent, because all processes restart the shared buckets.
defmodule Beam.RestartGate do
  @most 3
  # A second more than the service counts, since a restart comes later than the command that was let pass.
  @period_ms 6_000

  def start, do: Agent.start_link(fn -> %{} end, name: __MODULE__)

  def pass(name) do
    Agent.get_and_update(__MODULE__, fn passes ->
      recent = Enum.filter(Map.get(passes, name, []), &(&1 == :running or &1 > now() - @period_ms))

      if length(recent) < @most,
        do: {true, Map.put(passes, name, [:running | recent])},
        else: {false, Map.put(passes, name, recent)}
    end)
  end

  # Called when an exit signal has its reply.
  def passed(name) do
    Agent.update(__MODULE__, fn passes ->
      Map.update(passes, name, [], fn times ->
        case List.delete(times, :running) do
          ^times -> times
          others -> [now() | others]
        end
      end)
    end)
  end

  defp now, do: System.monotonic_time(:millisecond)
end
