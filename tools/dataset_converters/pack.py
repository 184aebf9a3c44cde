from pcdet_kd.cli.pack import main

if __name__ == '__main__':
    raise SystemExit(main())
