from pcdet_kd.cli.scannet_cls import main

if __name__ == '__main__':
    raise SystemExit(main())
