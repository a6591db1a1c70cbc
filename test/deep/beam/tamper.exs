# Seeded divergences: a reply or line of the server is changed before it is compared. The driver has to notice. On names of its
# own only the first process does so, and once. On shared names each does, once, since not every change contradicts another
# process's operations.

defmodule Beam.Tamper do
  # @returns {reply as the driver is to see it, state}
  def reply(%{broken: false, commands: commands} = state, asked, reply) when commands > 20 do
    case {state.options.break, state.index, asked.mode, asked.command, reply} do
      {"value-mixup", 0, :private, _, {:value, value}} when value != "" ->
        {{:value, value <> "x"}, %{state | broken: true}}

      {"lost-end", 0, :private, {:stop, _}, :ok} ->
        {:not_found, %{state | broken: true}}

      {"old-value", _, :shared, {:get, name, key}, {:value, _}} ->
        old_value(state, name, key, reply)

      {"lost-value", _, :shared, {:get, name, key}, {:value, value}} when value != "" ->
        lost_value(state, name, key, asked, reply)

      _ ->
        {reply, state}
    end
  end

  def reply(state, _, reply), do: {reply, state}

  # @returns {signal as the driver is to see it, or nil; state}
  def signal(%{broken: false} = state, {kind, name, reason} = signal) do
    case {state.options.break, is_map_key(state.options.shared, name), kind} do
      {_, _, _} when reason == "noproc" -> {signal, state}
      {"lost-line", false, _} when state.index == 0 -> {nil, %{state | broken: true}}
      {"lost-shared-line", true, "DOWN"} -> {nil, %{state | broken: true}}
      {"wrong-reason", true, _} -> {{kind, name, reason <> "x"}, %{state | broken: true}}
      _ -> {signal, state}
    end
  end

  def signal(state, signal), do: {signal, state}

  # A value that this process has put or read before its newest put.
  defp old_value(state, name, key, reply) do
    with [newest | _] <- puts(state, name, key),
         [old | _] <-
           for(
             %{name: ^name, key: ^key} = op <- state.shared.server,
             op.end < newest.begin,
             value(op),
             do: value(op)
           ) do
      {{:value, old}, %{state | broken: true}}
    else
      _ -> {reply, state}
    end
  end

  # No value, although this process has put one before, and one was there.
  defp lost_value(state, name, key, asked, reply) do
    case puts(state, name, key) do
      [%{end: ended} | _] when ended < asked.began -> {{:value, ""}, %{state | broken: true}}
      _ -> {reply, state}
    end
  end

  defp puts(state, name, key) do
    for %{verb: :put, name: ^name, key: ^key, reply: :ok} = op <- state.shared.server, do: op
  end

  defp value(%{verb: :get, reply: {:value, value}}) when value != "", do: value
  defp value(op), do: op.value
end
